"""Discounted visits: both normalisations, against powers of the chain and exact arithmetic."""

import array_api_strict
import numpy as np

from mdplab.arrays import floats, rational, softmax
from mdplab.exact import occupancy, values, visits, visits_from_each
from mdplab.models import DiscountedMDP


def policy(seed, *shape):
    return rational(np.random.default_rng(seed).multinomial(8, np.ones(shape[-1]) / shape[-1], size=shape[:-1])) / 8


def test_visits_sum_the_discounted_distributions_of_the_chain(draw):
    """Σ_{t < 40} γ^t μ P_π^t leaves non-negative terms of sum γ^40 / (1 − γ) out."""
    mdp = draw(0).exact()
    π = policy(1, 4, 3)
    P = sum(π[:, a, None] * mdp.P[:, a] for a in range(3))
    d, partial = mdp.start, 0 * mdp.start
    for t in range(40):
        partial, d = partial + mdp.discount**t * d, d @ P
    rest = visits(mdp, π) - partial
    assert (rest >= 0).all()
    assert rest.sum() == mdp.discount**40 / (1 - mdp.discount)


def test_both_normalisations_sum_to_what_they_say(draw):
    mdp = draw(1, (2, 3)).exact()
    π = policy(2, 2, 3, 4, 3)
    assert (visits(mdp, π).sum(axis=-1) == 1 / (1 - mdp.discount)).all()
    assert (occupancy(mdp, π).sum(axis=-1) == 1).all()
    assert (occupancy(mdp, π) == (1 - mdp.discount) * visits(mdp, π)).all()


def test_visits_pair_with_rewards_to_give_values(draw):
    mdp = draw(2, (5,), discount=np.arange(5) / 5).exact()
    π = policy(3, 5, 4, 3)
    from_visits = (visits(mdp, π) * (π * mdp.r).sum(axis=-1)).sum(axis=-1)
    assert (from_visits == (mdp.start * values(mdp, π)).sum(axis=-1)).all()


def test_visits_from_each_state_are_visits_from_point_starts(draw):
    mdp = draw(3, (2,)).exact()
    π = policy(4, 2, 4, 3)
    N = visits_from_each(mdp, π)
    for s in range(4):
        assert (N[:, s] == visits(mdp, π, rational(np.eye(4, dtype=int)[s]))).all()


def test_rare_states_have_relatively_accurate_visits():
    """State t + 1 is reached from t with probability 1e-60: visits fall to 1e-240 and stay right in each entry.

    Elimination without cancellation loses a few S u / (1 − γ) relative to each entry: 5 · 1.1e-16 · 100 < 1e-13.
    """
    ε, S = 1e-60, 5
    P = np.zeros((S, 1, S))
    for s in range(S):
        P[s, 0, min(s + 1, S - 1)] += ε
        P[s, 0, 0] += 1 - ε
    mdp = DiscountedMDP(P, np.zeros((S, 1)), 0.99, np.eye(S)[0])
    π = np.ones((S, 1))
    d = visits(mdp, π)
    assert 0 < d[-1] < 1e-230
    P_exact = rational(P)
    P_exact[:, 0, 0] = 1 - P_exact[:, 0, 1:].sum(axis=-1)
    exact = visits(DiscountedMDP(P_exact, rational(mdp.r), rational(0.99)[()], rational(mdp.start)), rational(π))
    assert floats(abs(rational(d) / exact - 1)).max() <= 1e-13


def test_any_array_namespace_will_do(draw, logits):
    mdp = draw(5, (3,))
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    π = softmax(logits(1, mdp))
    d = np.asarray(occupancy(strict, array_api_strict.asarray(π)))
    assert abs(d - floats(occupancy(mdp.exact(), rational(π) / rational(π).sum(axis=-1)[..., None]))).max() <= 1e-13
    assert np.asarray(visits_from_each(strict, array_api_strict.asarray(π))).shape == (3, 4, 4)
