"""The part of Sentinel's door about rules and their change; `public.py` offers all of it."""

from sentinel.gating import ReportStale
from sentinel.gauges import bare_questions
from sentinel.inputs import InputsUnreadable
from sentinel.policy.bundles import Bundle, BundleRefused, bank_bundle, journey_bundle
from sentinel.policy.publishing import roles_in_force
from sentinel.policy.words import BundleView, PolicyView, bundles
from sentinel.proposals import (
    NeverInForce,
    ProposalEnded,
    ReportDiffers,
    SamePerson,
    ShadowTooShort,
    propose_bundle,
    propose_rollback,
    publish_bundle,
    publish_proposal,
    reject_proposal,
)
from sentinel.proposed import (
    BundleProposal,
    ProposalUnknown,
    PublishedBundle,
    bundle_proposal,
    bundle_proposals,
    publications,
)
from sentinel.replaying import rejudge
from sentinel.shadowing import (
    follow_shadows_once,
    run_shadows_once,
    simulate_proposal,
    start_shadow,
)
from sentinel.simulating import Candidate, simulate
from sentinel.simulation.otherwise import Change, Counterfactual, Otherwise, otherwise

__all__ = [
    "Bundle",
    "BundleProposal",
    "BundleRefused",
    "BundleView",
    "Candidate",
    "Change",
    "Counterfactual",
    "InputsUnreadable",
    "NeverInForce",
    "Otherwise",
    "PolicyView",
    "ProposalEnded",
    "ProposalUnknown",
    "PublishedBundle",
    "ReportDiffers",
    "ReportStale",
    "SamePerson",
    "ShadowTooShort",
    "bank_bundle",
    "bare_questions",
    "bundle_proposal",
    "bundle_proposals",
    "bundles",
    "follow_shadows_once",
    "journey_bundle",
    "otherwise",
    "propose_bundle",
    "propose_rollback",
    "publications",
    "publish_bundle",
    "publish_proposal",
    "reject_proposal",
    "rejudge",
    "roles_in_force",
    "run_shadows_once",
    "simulate",
    "simulate_proposal",
    "start_shadow",
]
