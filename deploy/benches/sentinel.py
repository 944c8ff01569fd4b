"""What authority costs: every part of it beside the least the same work could cost, in one run.

`mint_over_sign`, `verify_over_verify`, `policy_over_cedar` and `verify_over_hash` are times over
their floors; `issued_over_commit` is the time of a permit's row over that of one plain row
committed the same way by as many clients (what the driver alone commits stands among the limits).
`late32_over_plain` holds the rate of 32 writers with 3 ms of work left in their transaction
beside the same without a record. `redeemed_once` is the share of tokens that exactly one of all
racers could spend. The rest is that of `simulate`; `simulate_per_s_core` (5,000 are wanted) is a
figure, as no limit of the machine stands beside it.
"""

import time

from django.db import connections

from deploy.benches import bank, commits, sentinel_log, sentinel_parts, sentinel_races, simulate
from deploy.benches.catalogue import Effort
from deploy.benches.report import Goal, Report

CUSTOMERS = 200
GOALS = {
    "mint_over_sign": Goal(1.6, is_ceiling=True),
    "verify_over_verify": Goal(1.3, is_ceiling=True),
    "policy_over_cedar": Goal(2.0, is_ceiling=True),
    "issued_over_commit": Goal(1.8, is_ceiling=True),
    "late32_over_plain": Goal(0.6),
    "sequencer_over_peak": Goal(5.0),
    "sealed_p99_over_interval": Goal(2.0, is_ceiling=True),
    "verify_over_hash": Goal(10.0, is_ceiling=True),
    "redeemed_once": Goal(1.0),
    **simulate.GOALS,
}


def measure(effort: Effort) -> Report:
    """Measure the parts of a decision, the log behind it and who may spend its token."""
    began = time.perf_counter()
    commits.make_table()
    customers = bank.open_bank(customers=CUSTOMERS)
    connections.close_all()
    found: list[sentinel_parts.Part | Report] = [
        sentinel_parts.measure(customers, effort),
        sentinel_parts.measure_rows(customers, effort),
        simulate.measure_on(customers, effort),
        sentinel_log.measure(customers, effort),
        sentinel_races.measure(customers, effort),
    ]
    return Report(
        bench="sentinel",
        ratios={name: value for each in found for name, value in each.ratios.items()},
        figures={name: value for each in found for name, value in each.figures.items()},
        limits={name: value for each in found for name, value in each.limits.items()},
        seconds=time.perf_counter() - began,
        goals=GOALS,
    )
