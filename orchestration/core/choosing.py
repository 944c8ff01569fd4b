"""Ad-hoc sub-processes: activities offered to a person or an agent, and when they have done enough.

What is chosen with variables of its own runs in a frame, which closes when nothing is left in it.
"""

from dataclasses import replace

from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import Kind
from orchestration.core import history as past
from orchestration.core.commands import OfferActivities, WithdrawActivities
from orchestration.core.events import ActivitiesEnded, ActivityChosen
from orchestration.core.flows import is_offering, stop_inside
from orchestration.core.run import Arrival, Run
from orchestration.core.state import Scope, Token, Variables

Refusal = str | None


def offer(run: Run, token: Token, inputs: Variables) -> None:
    """Ask the shell to let somebody choose."""
    node = run.definition.node(token.node)
    is_sequential = node.ad_hoc is not None and node.ad_hoc.is_sequential
    activities = run.definition.offers[node.id]
    run.command(OfferActivities(token.id, node.id, token.visit, activities, is_sequential, inputs))
    run.record(past.WorkAsked(node.id, token.id, token.visit, "choice of activities", inputs))


def chosen(run: Run, event: ActivityChosen, variables: Variables) -> Refusal:
    """Begin an activity somebody chose, or say why it may not be."""
    found = _offering(run, event.token)
    if isinstance(found, str):
        return found
    token, scope = found
    if event.activity not in run.definition.offers[token.node]:
        return "not_offered"
    node = run.definition.node(token.node)
    if node.ad_hoc is not None and node.ad_hoc.is_sequential and _is_busy(run, scope):
        return "one_at_a_time"
    run.record(past.ActivityTaken(token.node, token.id, event.activity, variables, event.chosen_by))
    place = scope
    if variables:
        place = Scope(f"s{run.next_number()}", token.node, scope.id, None, variables)
        run.open_scope(place)
    run.agenda.append(Arrival(event.activity, place.id))
    return None


def ended(run: Run, event: ActivitiesEnded) -> Refusal:
    """End the choosing because somebody says that it is enough."""
    found = _offering(run, event.token)
    if isinstance(found, str):
        return found
    token, scope = found
    _close(run, token, scope, event.ended_by)
    return None


def _offering(run: Run, token_id: str) -> tuple[Token, Scope] | str:
    token = run.tokens.get(token_id)
    if token is None:
        return "unknown_token"
    scope = next((each for each in run.scopes_of(token_id) if is_offering(run, each)), None)
    return (token, scope) if scope is not None else "not_waiting_for_this"


def _is_busy(run: Run, scope: Scope) -> bool:
    inside = {each.id for each in run.scopes.values() if each.parent == scope.id} | {scope.id}
    return any(token.scope in inside for token in run.tokens.values()) or any(
        planned.scope in inside for planned in run.agenda
    )


def see_whether_enough(run: Run, scope_id: str) -> None:
    """End the choosing when the condition of an ad-hoc sub-process holds after an activity."""
    if scope_id not in run.scopes:
        return
    scope = run.home_of(scope_id)
    if not is_offering(run, scope):
        return
    owner = run.tokens[scope.owner or ""]
    node = run.definition.node(owner.node)
    completion = as_expression(node.ad_hoc.completion) if node.ad_hoc is not None else None
    if completion is None:
        return
    if run.compute(node, scope_id, "completion condition", completion) is True:
        _close(run, owner, scope, None)


def _close(run: Run, owner: Token, scope: Scope, by: str | None) -> None:
    node = run.definition.node(owner.node)
    assert node.kind is Kind.AD_HOC
    assert node.ad_hoc is not None
    run.record(past.ChoosingEnded(node.id, owner.id, by))
    run.open_scope(replace(scope, is_closing=True))
    run.command(WithdrawActivities(owner.id, node.id, owner.visit))
    if node.ad_hoc.cancels_rest:
        stop_inside(run, scope, node.id)
