"""How fast are trajectories drawn, side by side with what else one would draw them with?

    python benchmarks/simulation.py            measures, prints the table and writes benchmarks/simulation.md

One model with 20 states and 5 actions, a softmax policy, trajectories of 100 steps, float64; a transition is one action
and one next state, with the random numbers for them.  Every contender lives in a process of its own, held to its cores,
and its counts of triples (s, a, t) are compared with their means before it is timed.  Samples go round the contenders
in turn, so that whatever else the machine does meets all of them, each after a call that does not count, for those
before it had the caches.  On one core the time is the processor time of the process; on several it is that of the
clock, and samples in which the process did not have its cores are thrown away.  Needs mdplab with the extra ``bench``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import side_by_side
from side_by_side import Contender, enough, machine, timed, versions

S, A, H, DISCOUNT = 20, 5, 100, 0.9
N = 1000  # trajectories of one call; for JAX and our compiled bodies the best of SIZES, and fewer for slow loops
SIZES = (256, 1024, 8192)
ROUNDS = 40  # samples wanted; undisturbed ones on several cores are asked for at most six times as often
SECONDS = 0.05  # of one sample at least

Walks = tuple[np.ndarray, np.ndarray]
Draw = Callable[[int], Walks]  # seed -> states (n, H + 1) and actions (n, H)


def model() -> tuple[Any, np.ndarray]:
    """The model and the policy, the same in every process."""
    from mdplab.models import DiscountedMDP

    rng = np.random.default_rng(0)
    P, r, θ = rng.dirichlet(np.ones(S), (S, A)), rng.random((S, A)), rng.normal(size=(S, A))
    π = np.exp(θ - θ.max(axis=-1, keepdims=True))
    return DiscountedMDP(P, r, DISCOUNT), π / π.sum(axis=-1, keepdims=True)


# --- contenders: each returns a function of a seed that draws n trajectories


def gymnasium_loop() -> Draw:
    """A Gymnasium environment with the model's table and the loop that everybody writes."""
    import gymnasium

    mdp, π = model()
    moves, choices = np.cumsum(mdp.P, axis=-1), np.cumsum(π, axis=-1)

    class Table(gymnasium.Env):
        observation_space = gymnasium.spaces.Discrete(S)
        action_space = gymnasium.spaces.Discrete(A)

        def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict]:
            super().reset(seed=seed)
            self.s = int(self.np_random.integers(S))
            return self.s, {}

        def step(self, a: int) -> tuple[int, float, bool, bool, dict]:
            r, t = mdp.r[self.s, a], int(np.searchsorted(moves[self.s, a], self.np_random.random(), side="right"))
            self.s = min(t, S - 1)
            return self.s, r, False, False, {}

    env = Table()

    def draw(seed: int) -> Walks:
        n, rng = 2, np.random.default_rng(seed)
        states, actions = np.empty((n, H + 1), dtype=int), np.empty((n, H), dtype=int)
        for i in range(n):
            states[i, 0], _ = env.reset(seed=seed * n + i)
            for h in range(H):
                a = min(int(np.searchsorted(choices[states[i, h]], rng.random(), side="right")), A - 1)
                actions[i, h] = a
                states[i, h + 1], *_ = env.step(a)
        return states, actions

    return draw


def numpy_batch() -> Draw:
    """NumPy over a batch: the definition of inversion with NumPy's own generator."""
    mdp, π = model()
    moves, choices = np.cumsum(mdp.P, axis=-1), np.cumsum(π, axis=-1)
    moves[..., -1] = choices[..., -1] = 1

    def draw(seed: int) -> Walks:
        rng = np.random.default_rng(seed)
        states, actions = np.empty((H + 1, N), dtype=int), np.empty((H, N), dtype=int)
        states[0] = rng.integers(S, size=N)
        for h in range(H):
            actions[h] = (rng.random(N)[:, None] >= choices[states[h]]).sum(axis=-1)
            states[h + 1] = (rng.random(N)[:, None] >= moves[states[h], actions[h]]).sum(axis=-1)
        return states.T, actions.T

    return draw


def _jax(form: str, generator: str, n: int, wide: bool) -> Draw:
    """JAX: scan over steps of a vmap over trajectories, actions and next states by one of four forms.

    Two draws a step by `sums` (counting cumulative probabilities), `search` or `categorical`; one draw a step of the
    pair by an `alias` table.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", wide)
    jax.config.update("jax_default_prng_impl", generator)
    mdp, π = model()
    number = jnp.float64 if wide else jnp.float32
    joint = (π[:, :, None] * mdp.P).reshape(S, A * S)
    choices, moves = (jnp.asarray(np.cumsum(x, axis=-1)[..., :-1], number) for x in (π, mdp.P))
    log_π, log_P = jnp.asarray(np.log(π), number), jnp.asarray(np.log(mdp.P), number)
    keep, other = (jnp.asarray(x) for x in _alias(joint))
    keep = keep.astype(number)

    def count(row: Any, u: Any) -> Any:
        return jnp.sum(u >= row)

    def search(row: Any, u: Any) -> Any:
        return jnp.searchsorted(row, u, side="right")

    def step(s: Any, x: Any) -> Any:
        if form == "alias":
            y = x * (A * S)
            cell = jnp.minimum(y.astype(jnp.int32), A * S - 1)
            j = jnp.where(y - cell < keep[s, cell], cell, other[s, cell])
            return j % S, (j % S, j // S)
        if form == "categorical":
            a = jax.random.categorical(x[0], log_π[s])
            t = jax.random.categorical(x[1], log_P[s, a])
            return t, (t, a)
        find = count if form == "sums" else search
        a = find(choices[s], x[0])
        t = find(moves[s, a], x[1])
        return t, (t, a)

    def given(key: Any) -> Any:
        if form == "categorical":
            return jax.random.split(key, (n, 2))
        return jax.random.uniform(key, (n,) if form == "alias" else (n, 2), number)

    @jax.jit
    def run(key: Any) -> Any:
        first, *keys = jax.random.split(key, H + 1) if form == "categorical" else jax.random.split(key, 2)
        s0 = jax.random.randint(first, (n,), 0, S)
        if form == "categorical":  # its draws are made inside, one key a step
            body = lambda s, key: jax.vmap(step)(s, given(key))  # noqa: E731
            _, (states, actions) = jax.lax.scan(body, s0.astype(jnp.int64 if wide else jnp.int32), jnp.stack(keys))
        else:
            u = jax.random.uniform(keys[0], (H, n) if form == "alias" else (H, n, 2), number)
            kind = jnp.int32 if form == "alias" or form == "search" else jnp.int64 if wide else jnp.int32
            _, (states, actions) = jax.lax.scan(jax.vmap(step), s0.astype(kind), u)
        return jnp.concatenate([s0[None].astype(states.dtype), states]), actions

    def draw(seed: int) -> Walks:
        states, actions = jax.block_until_ready(run(jax.random.key(seed)))
        return np.asarray(states).T, np.asarray(actions).T

    return draw


def _alias(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vose's tables in float64: what each of K cells keeps, and the outcome that gets the rest."""
    K = p.shape[1]
    keep, other = np.ones_like(p), np.tile(np.arange(K, dtype=np.int32), (len(p), 1))
    for row, k, o in zip(K * p, keep, other, strict=True):
        small, large = list(np.flatnonzero(row < 1)), list(np.flatnonzero(row >= 1))
        while small and large:
            i, j = small.pop(), large[-1]
            k[i], o[i] = row[i], j
            row[j] -= 1 - row[i]
            if row[j] < 1:
                small.append(large.pop())
    return keep, other


def jax_contender(form: str, generator: str, wide: bool = True) -> Draw:
    return fastest(lambda n: _jax(form, generator, n, wide))


def fastest(make: Callable[[int], Draw]) -> Draw:
    """That of the SIZES which draws most a second."""
    draws = [make(n) for n in SIZES]
    rates = []
    for draw, n in zip(draws, SIZES, strict=True):
        draw(0)
        rates.append(n / min(timed(lambda draw=draw: draw(1))[1] for _ in range(9)))
    return draws[int(np.argmax(rates))]


def definition() -> Draw:
    """`rollouts` without a compiled body."""
    from mdplab.kernels import inversion
    from mdplab.sampling import Draws

    mdp, π = model()
    chosen = np.zeros((3, N), dtype=int)

    def draw(seed: int) -> Walks:
        draws = Draws(seed, np.arange(N))
        walks = inversion.Walks(mdp.start[None], mdp.P[None], chosen, draws.key("path"), draws.counters(), H)
        return inversion.walk.definition(walks, π[None])

    return draw


def _ours(name: str, n: int = N) -> Callable[[int], Any]:
    import mdplab.kernels
    import mdplab.sampling

    mdplab.kernels.WORTH_COMPILING = 0.0  # a call of this size would do without, and is one of many here
    mdp, π = model()
    replicate = np.arange(n)

    def draw(seed: int) -> Any:
        draws = mdplab.sampling.Draws(seed, replicate)
        if name in ("walk", "many_walks"):
            return getattr(mdplab.sampling, name)(mdp.start, mdp.P, π, H, draws)
        return getattr(mdplab.sampling, name)(mdp, π, H, draws)

    return draw


def inversion() -> Draw:
    return fastest(lambda n: _ours("walk", n))


def own_policies() -> Draw:
    """A policy of its own for each trajectory, as gradient descent in many replicates has."""
    import mdplab.kernels
    from mdplab.sampling import Draws, walk

    mdplab.kernels.WORTH_COMPILING = 0.0
    mdp, π = model()
    policies = np.repeat(π[None], N, axis=0)
    return lambda seed: walk(mdp.start, mdp.P, policies, H, Draws(seed, np.arange(N)))


def alias() -> Draw:
    return fastest(lambda n: _ours("many_walks", n))


def alias_rollouts() -> Draw:
    def make(n: int) -> Draw:
        draw = _ours("many_rollouts", n)

        def run(seed: int) -> Walks:
            found = draw(seed)
            return found.states, found.actions

        return run

    return fastest(make)


def gradient() -> Draw:
    """Not a simulation: GPOMDP of each of N trajectories that are given."""
    from mdplab.sampling import gpomdp

    _, π = model()
    given = _ours("many_rollouts")(0)

    def run(seed: int) -> Walks:
        gpomdp(given, π)
        return given.states, given.actions

    return run


CONTENDERS: dict[str, Callable[[], Draw]] = {
    "gymnasium": gymnasium_loop,
    "numpy": numpy_batch,
    "jax categorical threefry": lambda: jax_contender("categorical", "threefry2x32"),
    "jax sums threefry": lambda: jax_contender("sums", "threefry2x32"),
    "jax search threefry": lambda: jax_contender("search", "threefry2x32"),
    "jax alias threefry": lambda: jax_contender("alias", "threefry2x32"),
    "jax sums rbg": lambda: jax_contender("sums", "rbg"),
    "jax search rbg": lambda: jax_contender("search", "rbg"),
    "jax alias rbg": lambda: jax_contender("alias", "rbg"),
    "jax alias threefry float32": lambda: jax_contender("alias", "threefry2x32", wide=False),
    "definition": definition,
    "inversion": inversion,
    "own": own_policies,
    "alias": alias,
    "rollouts": alias_rollouts,
    "gradient": gradient,
}


# --- measuring


def far(draw: Draw) -> float:
    """The largest distance of the frequency of a triple (s, a, t) from its mean, in standard deviations of one draw."""
    mdp, π = model()
    counts, seed = np.zeros((S, A, S)), 0
    while counts.sum() < 40_000:
        states, actions = (np.asarray(x, dtype=np.int64) for x in draw(seed))
        np.add.at(counts, (states[:, :-1], actions, states[:, 1:]), 1)
        seed += 1
    visits = counts.sum(axis=(1, 2))[:, None, None]
    p = π[:, :, None] * mdp.P
    return float((abs(counts - visits * p) / np.sqrt(visits * p * (1 - p) + 1)).max())


def work(name: str) -> None:
    """One contender: first how far its law is off, then the seconds of one transition for each line of input."""
    draw = CONTENDERS[name]()
    off, n = far(draw), len(draw(0)[0])

    def several(seed: int, calls: int) -> None:
        for i in range(calls):
            draw(seed * calls + i)

    calls = enough(lambda n: several(0, n), SECONDS)
    print(json.dumps({"off": off, "size": n}), flush=True)
    for i, _ in enumerate(sys.stdin):
        draw(i)
        wall, busy = timed(lambda i=i: several(i, calls))
        print(json.dumps({"wall": wall / (calls * n * H), "busy": busy / (calls * n * H)}), flush=True)


def measure() -> list[Contender]:
    """All contenders with their samples."""
    every = len(os.sched_getaffinity(0))
    wanted = [
        ("Gymnasium, a loop", "gymnasium", 1),
        ("NumPy, batched", "numpy", 1),
        ("JAX, two `categorical`, threefry", "jax categorical threefry", 1),
        ("JAX, two inversions by counting, threefry", "jax sums threefry", 1),
        ("JAX, two inversions by searchsorted, threefry", "jax search threefry", 1),
        ("JAX, alias table, threefry", "jax alias threefry", 1),
        ("JAX, two inversions by counting, rbg", "jax sums rbg", 1),
        ("JAX, two inversions by searchsorted, rbg", "jax search rbg", 1),
        ("JAX, alias table, rbg", "jax alias rbg", 1),
        ("JAX, alias table, threefry, float32", "jax alias threefry float32", 1),
        ("mdplab, the definition of `walk`", "definition", 1),
        ("mdplab `walk`, one policy", "inversion", 1),
        ("mdplab `walk`, a policy for each trajectory", "own", 1),
        ("mdplab `many_walks`", "alias", 1),
        ("mdplab `many_rollouts`, rewards too", "rollouts", 1),
        ("GPOMDP of given trajectories", "gradient", 1),
    ]
    if every > 1:
        wanted += [("mdplab `walk`, one policy", "inversion", every), ("mdplab `many_walks`", "alias", every)]
    return side_by_side.measure(__file__, wanted, ROUNDS, processor=True)


def table(contenders: list[Contender]) -> str:
    """The result in Markdown."""
    times = {c: c.samples or [min(c.disturbed)] for c in contenders}
    rate = {c: 1 / median(times[c]) for c in contenders}
    best = max(rate[c] for c in rate if c.title.startswith("JAX") and "float32" not in c.title)
    gradient = next(c for c in contenders if c.title.startswith("GPOMDP"))
    simulated = {c.title: median(c.samples) for c in contenders if c.cores == 1 and "many" in c.title}
    lines = [
        "# Simulation",
        "",
        f"One model, S = {S}, A = {A}, a softmax policy, trajectories of H = {H} steps, float64; a transition is one "
        f"action and one next state, random numbers included.  Medians with the smallest and largest of up to {ROUNDS} "
        f"samples of about {SECONDS} s taken in turn, each after a call that does not count; `python "
        "benchmarks/simulation.py` measures them again.  On one core processor time counts, as the machine was shared "
        "with other work; caches, memory and the cores' other threads were shared too.  On several cores the clock "
        "counts, and samples in which the process had less than nine tenths of them were thrown away; where that left "
        "none, the fastest of them stands here.",
        "",
        f"Machine: {machine()}.  {versions('numpy', 'numba', 'llvmlite', 'jax', 'gymnasium')}.",
        "",
        "| | cores | trajectories a call | million transitions a second | smallest–largest | × best JAX | off by σ "
        "| samples (disturbed) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for c, speed in rate.items():
        if c is gradient:
            continue
        low, high = (1 / f(times[c]) / 1e6 for f in (max, min))
        lines.append(
            f"| {c.title} | {c.cores} | {c.about['size']} | {speed / 1e6:.3g} | {low:.3g}–{high:.3g} "
            f"| {speed / best:.2g} | {c.about['off']:.1f} | {len(c.samples)} ({len(c.disturbed)}) |"
        )
    lines += [
        "",
        f"`off by σ`: largest deviation of {S * A * S} counts of (s, a, t) from their means, in standard deviations.",
        "",
        "JAX: `lax.scan` over steps of `vmap` over trajectories, jitted.  Its alias table has cells as ours has, "
        "its uniforms 53 bits where our words have 64; in float32 it is not counted as the best.  JAX and our "
        f"compiled bodies draw as many trajectories a call as is fastest, of {', '.join(map(str, SIZES))}.",
        "",
        f"GPOMDP gradients of {N} given trajectories on one core take {median(gradient.samples) * 1e9:.1f} ns a step "
        f"({min(gradient.samples) * 1e9:.1f}–{max(gradient.samples) * 1e9:.1f}): "
        + " and ".join(f"{median(gradient.samples) / s:.2f} times {title.split()[1]}" for title, s in simulated.items())
        + ".",
    ]
    return "\n".join(lines).replace("`,.", "`.") + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(sys.argv[1])
    else:
        text = table(measure())
        print(text)
        Path(__file__).with_suffix(".md").write_text(text)
