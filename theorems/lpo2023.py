"""Li et al. (2023), Low-Switching Policy Gradient with Exploration via Online Sensitivity Sampling."""

from __future__ import annotations

import numpy as np
from sympy import log

from mdplab.arrays import rational
from mdplab.instances import discounted_mdps, one_state_loop, policies
from mdplab.models import bandit
from mdplab.sampling import Draws, rollouts
from mdplab.solvers import always, doubled
from mdplab.theorem import Quantity, as_printed, for_all, theorem

K = Quantity("K", "samples", integer=True)
S = Quantity("S", "number of states", integer=True)
A = Quantity("A", "number of actions", integer=True)
updates = Quantity("N_K", "policies computed anew", integer=True)
by_counts = Quantity(
    r"\sum_{s, a : n(s, a) > 0} (1 + \lfloor \log_2 n(s, a) \rfloor)",
    "one for each pair met and one for each doubling",
    integer=True,
)

with as_printed():
    switch_claims = {"samples": updates <= S * A * (1 + log(K) / log(2)), "counts": updates <= by_counts}
    half = updates <= S * A * log(K) / (2 * log(2))
    one_less = updates <= by_counts - 1


def one_run(mdp):
    """Draws of seed 0, one run for each model of the batch."""
    return Draws(instance=np.arange(mdp.batch[0])) if mdp.batch else Draws()


def doublings(n):
    """Σ over pairs met of 1 + ⌊log₂ n⌋;  (..., S, A) -> (...)."""
    _, bits = np.frexp(n)  # n = m 2^bits with 1/2 <= m < 1
    return bits.sum(axis=(-2, -1))


@theorem(
    switch_claims,
    cite="lpo2023",
    at="number of switches, tabular reading",
    source="derived",
    judge=for_all(K, up_to=64, exactly_up_to=64),
    on={"mdp": discounted_mdps(), "π": policies},
    named={"one pair": one_state_loop, "two arms": lambda: {"mdp": bandit(rational([0, 1]))}},
    near_misses={"half": half, "one less": one_less, "after every sample": {"due": always}},
    note="Along walks of a policy, draws of seed 0.  With one pair it is an equality where K is a power of two.",
)
def switch(mdp, π, *, due=doubled):
    """A policy computed anew when some count has doubled changes at most S A (1 + log₂ K) times in K samples.

    Looked at for K = 16 and 64."""
    most = 64
    seen = rollouts(mdp, π, most, one_run(mdp))
    now, then = (np.zeros((*mdp.batch, mdp.S, mdp.A)) for _ in range(2))
    runs, changes = tuple(np.indices(mdp.batch)), np.zeros(mdp.batch, dtype=int)
    for k in range(most):
        now[(*runs, seen.states[..., k], seen.actions[..., k])] += 1
        new = due(now, then)
        then = np.where(new[..., None, None], now, then)
        changes = changes + new
        if k + 1 in (16, 64):
            yield {K: k + 1, S: mdp.S, A: mdp.A, updates: changes, by_counts: doublings(now)}
