"""The part of Sentinel's door about rules and their change; `public.py` offers all of it."""

from sentinel.gating import ReportStale
from sentinel.gauges import bare_questions
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
from sentinel.proposed import BundleProposal, ProposalUnknown, bundle_proposal, bundle_proposals
from sentinel.replaying import rejudge
from sentinel.shadowing import (
    follow_shadows_once,
    run_shadows_once,
    simulate_proposal,
    start_shadow,
)
from sentinel.simulating import Candidate, simulate

__all__ = [
    "Bundle",
    "BundleProposal",
    "BundleRefused",
    "BundleView",
    "Candidate",
    "NeverInForce",
    "PolicyView",
    "ProposalEnded",
    "ProposalUnknown",
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
    "propose_bundle",
    "propose_rollback",
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
