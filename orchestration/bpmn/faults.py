"""Every fault the linter knows: its stable code, and whether it forbids to run the drawing."""

from orchestration.bpmn.errors import Finding, Severity

_ERRORS = """
    activation_missing ad_hoc_invalid apart_invalid binding_invalid boundary_invalid call_missing
    called_process_missing cancel_misplaced cancel_uncaught compensation_unknown
    condition_missing cyclic_call dead_join deadline_invalid decision_missing decision_unknown
    default_missing default_unknown
    element_unsupported end_left event_condition_missing event_gateway_invalid
    condition_not_boolean event_name_missing event_sub_process_invalid event_unsupported feel_error
    flow_crosses_border flow_dangling form_unknown handler_connected handler_missing
    language_unsupported link_connected
    link_repeated link_without_target loop_invalid no_start nobody_may_do node_unknown
    priority_invalid repeated_id
    retry_invalid schema_misplaced schema_unknown script_missing service_level_invalid
    start_entered start_not_plain step_unknown timer_invalid unreachable way_out_missing
"""
_WARNINGS = """
    condition_ignored correlation_missing deadlock_possible default_conditional effect_not_undone
    effect_stays flow_repeated gateway_superfluous handler_unused implicit_end implicit_join
    implicit_split input_may_be_missing name_missing name_unknown not_executable not_judged_wholly
    nothing_to_compensate process_unknown reference_undeclared stuck_possible token_multiplies
"""
FAULTS: dict[str, Severity] = {
    **dict.fromkeys(_ERRORS.split(), Severity.ERROR),
    **dict.fromkeys(_WARNINGS.split(), Severity.WARNING),
}


def fault(code: str, element: str, line: int, words: str) -> Finding:
    """Give the finding of a fault at an element, as severe as that fault is."""
    return Finding(code, element, line, words, FAULTS[code])
