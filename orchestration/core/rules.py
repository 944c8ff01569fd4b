"""Decisions by rule inside a process, made here and now because they touch nothing outside."""

from orchestration.bpmn.model import Node
from orchestration.core import history as past
from orchestration.core.run import CannotGoOn, Run
from orchestration.core.state import Token, Variables
from orchestration.dmn.result import DecisionUnknown
from orchestration.feel.values import FeelValue, data_only


def decide(run: Run, token: Token, node: Node, inputs: Variables) -> FeelValue:
    """Make the decision a business rule task names (`file.dmn#decision`).

    Without declared inputs the decision sees the variables of the process.

    Raises:
        CannotGoOn: there is no such decision.
    """
    reference = node.work.decision or ""
    file, _, name = reference.partition("#")
    model = run.decisions.get(file)
    if model is None:
        raise CannotGoOn("decision_unknown", f"{node.id}: no decision {reference!r}")
    given = inputs if node.work.inputs else run.visible(token.scope)
    try:
        result = model.evaluate(decision=name, inputs=given, at=run.at)
    except DecisionUnknown as error:
        raise CannotGoOn("decision_unknown", f"{node.id}: no decision {reference!r}") from error
    run.spent += result.cost
    outputs = data_only(result.outputs)
    rules = tuple(
        past.RuleMatched(each.table, each.rule, each.index, each.annotations)
        for each in result.matched_rules
    )
    run.record(
        past.DecisionEvaluated(
            node.id,
            token.visit,
            reference,
            result.inputs,
            outputs,
            rules,
            result.reasons,
        )
    )
    return outputs
