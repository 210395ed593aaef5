"""Models that end at exit: named examples, batched families, strategies, domains, and their form in JSON.

A `.json` file holds one model::

    {"model": "exit_time", "horizon": 3,
     "P": [[["0", "1/2", "1/2"], ["0", "1", "0"]]],
     "payoff": [0, 1, "-1"],
     "start": ["1"]}

`P[x][a]` is a distribution over all states, those inside the region first, `payoff` has one number for each of these,
and `start` is over the states inside; without it one starts anywhere inside.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import exact_distribution, rational, rational_number, softmax
from mdplab.errors import InstanceError
from mdplab.instances.domain import Domain, Family, check_sizes
from mdplab.models import ExitTimeMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# -- Named ------------------------------------------------------------------------------------------------------------


def gambler(n: int = 8, up: Any = "1/2", horizon: int = 10) -> ExitTimeMDP:
    """A gambler between ruin at 0 and success, paid 1, at n; the one action wins 1 with probability `up`, else loses 1.

    Inside are the fortunes 1, ..., n − 1; the states outside are 0 and n.
    """
    if n < 2:
        raise InstanceError(f"n is {n}; a gambler has something to win from n = 2 on")
    return walk(n, (up,), horizon, payoff=(0, 1))


def walk(n: int = 4, ups: tuple[Any, ...] = ("1/4", "3/4"), horizon: int = 4, payoff: Any = ("1/2", 1)) -> ExitTimeMDP:
    """A walk on 0, ..., n that goes up with the probability of the chosen action, else down, and ends at 0 and n.

    `payoff` is that of 0 and of n; whoever is inside at the horizon gets nothing.  Starts in the middle.
    """
    S = n - 1
    if S < 1:
        raise InstanceError(f"n is {n}; a walk has a point inside from n = 2 on")
    P = rational(np.zeros((S, len(ups), S + 2), dtype=int))
    place = [S, *range(S), S + 1]  # of the points 0, ..., n among the states
    for x in range(1, n):
        for a, p in enumerate(map(rational_number, ups)):
            P[x - 1, a, place[x + 1]] += p
            P[x - 1, a, place[x - 1]] += 1 - p
    g = rational([0] * S + list(payoff))
    return ExitTimeMDP(P, g, horizon, rational(np.eye(S, dtype=int)[(S - 1) // 2]))


def which_exit() -> ExitTimeMDP:
    """One decision between two exits, paid 1 and −1: a bandit."""
    return ExitTimeMDP(rational([[[0, 1, 0], [0, 0, 1]]]), rational([0, 1, -1]), 1)


SHARES, PRICES = 4, 5


def share_repurchase(horizon: int = 8, move: Any = "1/4", gain: Any = "1/3", penalty: Any = 1) -> ExitTimeMDP:
    """Buy four shares, one or none a step, and be paid for each by how far the average price is above the last one.

    After :cite:`hamd2023`, on grids.  The price goes up or down by one on 0, ..., 4 with probability `move` each and
    stays where it is at the ends, so that it is a martingale.  The average moves by the share `gain` of its distance
    from the new price, rounded up or down at random so as to be right in the mean.  State (price, average) with q < 4
    shares has index (q · 5 + price) · 5 + average; the states with all four are outside and come last.  Starts with no
    share, price and average in the middle.

    The payoff is 4 (average − price) at the exit, and `penalty` less for each share that is missing at the horizon.
    Who buys at the price S_i pays, on average, what the share is worth at the end: E Σ α_i S_i = E S_τ Σ α_i.  So the
    money spent need not be part of the state.
    """
    p, w = rational_number(move), rational_number(gain)
    if not 0 <= 2 * p <= 1:
        raise InstanceError(f"move is {p}; it is the probability of each of two moves, so expected at most 1/2")
    if not 0 <= w <= 1:
        raise InstanceError(f"gain is {w}; expected a share between 0 and 1")
    n = PRICES * PRICES
    S = SHARES * n
    P = rational(np.zeros((S, 2, S + n), dtype=int))
    g = rational(np.zeros(S + n, dtype=int))
    for shares, price, average in np.ndindex(SHARES + 1, PRICES, PRICES):
        state = shares * n + price * PRICES + average
        g[state] = SHARES * (average - price) - rational_number(penalty) * (SHARES - shares)
        if shares == SHARES:
            continue
        jumps = {0: 1 - 2 * p, 1: p, -1: p} if 0 < price < PRICES - 1 else {0: rational_number(1)}
        for jump, chance in jumps.items():
            mean = average + w * (price + jump - average)
            below = min(int(mean), PRICES - 2)
            for rounded, share in ((below, below + 1 - mean), (below + 1, mean - below)):
                for buys in range(2):
                    P[state, buys, (shares + buys) * n + (price + jump) * PRICES + rounded] += chance * share
    start = np.arange(S) == PRICES // 2 * (PRICES + 1)
    return ExitTimeMDP(P, g, horizon, rational(start.astype(int)))


# -- Families ---------------------------------------------------------------------------------------------------------


def random_exits(
    rng: np.random.Generator, size: int, *, S: int = 2, E: int = 2, A: int = 2, N: int = 3, signs: bool = False
) -> ExitTimeMDP:
    """Dirichlet(0.5) rows over inner and outer states; normal payoffs, or 1 and −1 where `signs`."""
    check_sizes(S=S, A=A)
    P = rng.dirichlet(np.full(S + E, 0.5), (size, S, A))
    g = rng.normal(size=(size, S + E))
    return ExitTimeMDP(P, np.where(g >= 0, 1.0, -1.0) if signs else g, N, rng.dirichlet(np.ones(S), size))


def gamblers(rng: np.random.Generator, size: int, *, n: int = 8) -> ExitTimeMDP:
    """`gambler` with probabilities to win between 1/5 and 4/5."""
    one, p = gambler(n, 1).floats(), rng.uniform(0.2, 0.8, (size, 1, 1, 1))
    down = gambler(n, 0).floats()
    g, start = (np.broadcast_to(x, (size, *x.shape)) for x in (one.payoff, one.start))
    return ExitTimeMDP(p * one.P + (1 - p) * down.P, g, one.horizon, start)


def _family(make: Any, **options: Any) -> Family:
    text = ",".join(f"{key}={value}" for key, value in options.items())
    return Family(f"{make.__name__.replace('_', '-')}:{text}", partial(make, **options))


# -- Domains ----------------------------------------------------------------------------------------------------------


def exit_time_mdps(families: tuple[Family, ...] | None = None) -> Domain:
    """Models with an exit: small rational ones with at most three times, and batches with two or three."""
    if families is None:
        families = (
            _family(random_exits, S=2, E=1, A=2, N=2),
            _family(random_exits, S=2, E=2, A=2, N=3),
            _family(random_exits, S=1, E=3, A=3, N=3, signs=True),
        )

    def draw() -> SearchStrategy[ExitTimeMDP]:
        from hypothesis import strategies as st

        from mdplab.instances import strategies

        @st.composite
        def models(draw: Any) -> ExitTimeMDP:
            S, E, A = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
            rows = [[draw(strategies.distributions(S + E)) for _ in range(A)] for _ in range(S)]
            payoff = [draw(strategies.REWARDS) for _ in range(S + E)]
            N, start = draw(st.integers(1, 3 if S + E < 4 else 2)), draw(strategies.distributions(S))
            return ExitTimeMDP(np.stack([np.stack(row) for row in rows]), rational(payoff), N, start)

        return models()

    return Domain(draw, families=families, model=ExitTimeMDP)


def ruin_models() -> Domain:
    """`gambler`, of all sorts."""

    def draw() -> SearchStrategy[ExitTimeMDP]:
        from hypothesis import strategies as st

        ups = st.sampled_from(["1/2", "1/3", "2/3", "3/10", "31/50", "1/10"])
        return st.builds(gambler, st.integers(2, 7), ups)

    return Domain(draw, families=(_family(gamblers, n=8), _family(gamblers, n=3)), model=ExitTimeMDP)


def _shape(mdp: ExitTimeMDP) -> tuple[int, ...]:
    return (*mdp.batch, mdp.N, mdp.S, mdp.A)


def _draw_logits(mdp: ExitTimeMDP) -> SearchStrategy[Any]:
    from mdplab.instances import strategies

    return strategies.logits(mdp.N * mdp.S, mdp.A).map(lambda θ: θ.reshape(mdp.N, mdp.S, mdp.A))


def _some_logits(rng: np.random.Generator, mdp: ExitTimeMDP) -> np.ndarray:
    return rng.choice([0.1, 1.0, 3.0], (*mdp.batch, 1, 1, 1)) * rng.normal(size=_shape(mdp))


def _draw_policies(mdp: ExitTimeMDP) -> SearchStrategy[Any]:
    from mdplab.instances import strategies

    return strategies.policies(mdp.N * mdp.S, mdp.A).map(lambda π: π.reshape(mdp.N, mdp.S, mdp.A))


# Logits and policies for each time; directions in the space of logits are drawn like logits.
exit_logits = Domain(_draw_logits, _some_logits, lambda mdp: rational(np.zeros(_shape(mdp), dtype=int)))
exit_policies = Domain(
    _draw_policies,
    lambda rng, mdp: softmax(_some_logits(rng, mdp)),
    lambda mdp: rational(np.ones(_shape(mdp), dtype=int)) / mdp.A,
    exact_distribution,
)


# -- Files ------------------------------------------------------------------------------------------------------------


def from_document(document: dict[str, Any]) -> ExitTimeMDP:
    """The model of a JSON document; see the module for its form."""
    from mdplab.instances.files import numbers_of

    starts = ["start"] if "start" in document else []
    found = numbers_of(document, "P", "payoff", *starts)
    if "horizon" not in document:
        raise InstanceError(f"there is no 'horizon'; found {', '.join(map(repr, document))}")
    return ExitTimeMDP(found["P"], found["payoff"], document["horizon"], found.get("start"))
