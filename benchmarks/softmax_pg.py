"""How fast is the exact softmax policy-gradient loop, side by side with what else one would write it in?

    python benchmarks/softmax_pg.py            measures, prints the table and writes benchmarks/softmax_pg.md

One thousand models with 20 states and 5 actions, dense float64, γ = 0.9; an iteration is one update of one model.
Every contender lives in a process of its own, held to its cores, and is compared with the NumPy definition before it is
timed.  Samples go round the contenders in turn, so that whatever else the machine does meets all of them; a sample in
which the process did not have its cores to itself is thrown away and counted.  Needs mdplab with the extra ``bench``.
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

MODELS, S, A, DISCOUNT, STEP = 1000, 20, 5, 0.9, 0.1
ROUNDS = 15  # undisturbed samples wanted; asked for at most six times as often
SECONDS = 0.4  # of one sample
# Useful operations of one iteration: P_π and q, one factorisation, four triangular solves, softmax and update but for
# the exponentials, which are not counted.
OPERATIONS = 4 * S * S * A + 2 * S**3 / 3 + 4 * S * S + 10 * S * A
CHECKED = 20  # iterations after which a contender is compared with the definition


def ascent() -> Any:
    """The models, the same in every process."""
    from mdplab.kernels.softmax_pg import Ascent
    from mdplab.models import DiscountedMDP

    rng = np.random.default_rng(0)
    P, r = rng.dirichlet(np.ones(S), (MODELS, S, A)), rng.random((MODELS, S, A))
    return Ascent(DiscountedMDP(P, r, DISCOUNT), STEP)


# --- contenders: each returns a function (θ, steps) -> θ, NumPy in and out


def definition() -> Callable[[np.ndarray, int], np.ndarray]:
    from mdplab.kernels.softmax_pg import advance

    problem = ascent()
    return lambda θ, steps: advance.definition(problem, θ, 0, steps, None)[0]


def lanes() -> Callable[[np.ndarray, int], np.ndarray]:
    from mdplab.kernels import softmax_pg_lanes

    problem = ascent()
    return lambda θ, steps: softmax_pg_lanes.advance(problem, θ, 0, steps, None)[0]


def lanes_with_sums() -> Callable[[np.ndarray, int], np.ndarray]:
    from dataclasses import replace

    from mdplab.exact import optimum
    from mdplab.kernels import softmax_pg_lanes
    from mdplab.kernels.softmax_pg import nothing_yet

    plain = ascent()
    best = optimum(plain.mdp)
    problem = replace(plain, action=best.action, loss=best.loss)
    return lambda θ, steps: softmax_pg_lanes.advance(problem, θ, 0, steps, nothing_yet(plain.mdp))[0]


def cuda() -> Callable[[np.ndarray, int], np.ndarray]:
    import cupy

    from mdplab.kernels import softmax_pg_cuda
    from mdplab.kernels.softmax_pg import Ascent

    plain = ascent()
    problem = Ascent(plain.mdp.map(lambda x: cupy.asarray(x) if getattr(x, "shape", ()) else x), plain.step_size)
    return lambda θ, steps: softmax_pg_cuda.advance(problem, cupy.asarray(θ), 0, steps, None)[0].get()


def scalar_numba() -> Callable[[np.ndarray, int], np.ndarray]:
    """The plain loop one would write in Numba: one model after the other, fast arithmetic allowed."""
    from numba import njit

    @njit(fastmath=True, error_model="numpy")
    def one(P, r, start, θ, steps):  # type: ignore[no-untyped-def]
        S, A = r.shape
        π, M, v, d = np.empty((S, A)), np.empty((S, S)), np.empty(S), np.empty(S)
        for _ in range(steps):
            for s in range(S):
                top, total = θ[s].max(), 0.0
                for a in range(A):
                    π[s, a] = np.exp(θ[s, a] - top)
                    total += π[s, a]
                v[s], d[s] = 0.0, start[s]
                for t in range(S):
                    M[s, t] = 1.0 if s == t else 0.0
                for a in range(A):
                    π[s, a] /= total
                    v[s] += π[s, a] * r[s, a]
                    for t in range(S):
                        M[s, t] -= DISCOUNT * π[s, a] * P[s, a, t]
            for k in range(S):
                for i in range(k + 1, S):
                    M[i, k] /= M[k, k]
                    for j in range(k + 1, S):
                        M[i, j] -= M[i, k] * M[k, j]
            for i in range(S):
                for j in range(i):
                    v[i] -= M[i, j] * v[j]
            for i in range(S - 1, -1, -1):
                for j in range(i + 1, S):
                    v[i] -= M[i, j] * v[j]
                v[i] /= M[i, i]
            for i in range(S):
                d[i] /= M[i, i]
                for j in range(i + 1, S):
                    d[j] -= M[i, j] * d[i]
            for i in range(S - 1, -1, -1):
                for j in range(i):
                    d[j] -= M[i, j] * d[i]
            for s in range(S):
                for a in range(A):
                    q = 0.0
                    for t in range(S):
                        q += P[s, a, t] * v[t]
                    θ[s, a] += STEP * d[s] * π[s, a] * (r[s, a] + DISCOUNT * q - v[s])

    @njit(error_model="numpy")
    def all_of_them(P, r, start, θ, steps):  # type: ignore[no-untyped-def]
        for n in range(len(P)):
            one(P[n], r[n], start[n], θ[n], steps)

    mdp = ascent().mdp

    def run(θ: np.ndarray, steps: int) -> np.ndarray:
        θ = θ.copy()
        all_of_them(mdp.P, mdp.r, mdp.start, θ, steps)
        return θ

    return run


def _jax(solve_both: Callable[..., Any]) -> Callable[[np.ndarray, int], np.ndarray]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    mdp = ascent().mdp
    P, r, start = (jnp.asarray(x) for x in (mdp.P, mdp.r, mdp.start))

    def update(P: Any, r: Any, start: Any, θ: Any) -> Any:
        π = jax.nn.softmax(θ)
        M = jnp.eye(S) - DISCOUNT * jnp.einsum("sa,sat->st", π, P)
        v, d = solve_both(M, (π * r).sum(-1), start)
        return θ + STEP * d[:, None] * π * (r + DISCOUNT * P @ v - v[:, None])

    @jax.jit
    def run(θ: Any, steps: Any) -> Any:
        return jax.lax.fori_loop(0, steps, lambda _, θ: jax.vmap(update)(P, r, start, θ), θ)

    return lambda θ, steps: np.asarray(run(jnp.asarray(θ), steps))


def jax_solve() -> Callable[[np.ndarray, int], np.ndarray]:
    import jax.numpy as jnp

    return _jax(lambda M, r, start: (jnp.linalg.solve(M, r), jnp.linalg.solve(M.T, start)))


def jax_factor() -> Callable[[np.ndarray, int], np.ndarray]:
    from jax.scipy.linalg import lu_factor, lu_solve

    def both(M: Any, r: Any, start: Any) -> Any:
        factors = lu_factor(M)
        return lu_solve(factors, r), lu_solve(factors, start, trans=1)

    return _jax(both)


def jax_inverse() -> Callable[[np.ndarray, int], np.ndarray]:
    import jax.numpy as jnp

    def both(M: Any, r: Any, start: Any) -> Any:
        inverse = jnp.linalg.inv(M)
        return inverse @ r, start @ inverse

    return _jax(both)


def dgemm() -> Callable[[np.ndarray, int], np.ndarray]:
    """Not a contender: what the machine can do.  `steps` counts products of two 1024 × 1024 matrices."""
    x = np.random.default_rng(0).random((1024, 1024))
    y = np.empty_like(x)

    def run(θ: np.ndarray, steps: int) -> np.ndarray:
        for _ in range(steps):
            np.matmul(x, x, out=y)
        return θ

    return run


# --- measuring


def work(name: str) -> None:
    """One contender: first its distance from the definition, then the seconds of one sample for each line of input."""
    run = globals()[name]()
    zeros = np.zeros((MODELS, S, A))
    distance = 0.0 if name == "dgemm" else float(abs(run(zeros, CHECKED) - definition()(zeros, CHECKED)).max())
    steps = enough(lambda n: run(zeros, n), SECONDS)
    print(json.dumps({"distance": distance}), flush=True)
    for _ in sys.stdin:
        wall, busy = timed(lambda: run(zeros, steps))
        print(json.dumps({"wall": wall / steps, "busy": busy / steps}), flush=True)


def measure() -> list[Contender]:
    """All contenders with their samples."""
    from mdplab.kernels import cuda_available

    every = len(os.sched_getaffinity(0))
    wanted = [
        ("dgemm, n = 1024", "dgemm", 1),
        ("NumPy, batched: the definition", "definition", 1),
        ("JAX jit + vmap, two solves", "jax_solve", 1),
        ("JAX jit + vmap, one LU", "jax_factor", 1),
        ("JAX jit + vmap, one inverse", "jax_inverse", 1),
        ("Numba, scalar", "scalar_numba", 1),
        ("mdplab lanes", "lanes", 1),
        ("mdplab lanes, least and total gap too", "lanes_with_sums", 1),
    ]
    if every > 1:
        wanted += [("mdplab lanes", "lanes", every)]
    if cuda_available():
        wanted += [("mdplab CUDA, one GPU", "cuda", 1)]
    return side_by_side.measure(__file__, wanted, ROUNDS)


def table(contenders: list[Contender]) -> str:
    """The result in Markdown."""
    for contender in contenders:
        if not contender.samples:
            raise SystemExit(f"{contender.title}: every sample was disturbed; measure when the machine is quiet")
    peak = 2 * 1024**3 / median(contenders[0].samples)
    speed = {c: MODELS / median(c.samples) for c in contenders[1:]}
    best = max(speed[c] for c in speed if c.title.startswith("JAX"))
    lines = [
        "# Exact softmax policy gradient",
        "",
        f"{MODELS} models, S = {S}, A = {A}, dense float64, γ = {DISCOUNT}; an iteration is one update of one model, "
        f"{OPERATIONS:.0f} floating-point operations and {S * A} exponentials.  Medians with the smallest and largest "
        f"of up to {ROUNDS} samples of about {SECONDS} s taken in turn; `python benchmarks/softmax_pg.py` "
        "measures them again.",
        "",
        f"Machine: {machine()}.  {versions('numpy', 'numba', 'llvmlite', 'jax', 'cupy')}.  "
        f"dgemm (n = 1024, one core): {peak / 1e9:.1f} GFLOP/s.",
        "",
        "| | cores | million iterations a second | smallest–largest | × best JAX | GFLOP/s | of dgemm peak "
        f"| from the definition after {CHECKED} | samples (disturbed) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for c, rate in speed.items():
        low, high = (MODELS / f(c.samples) / 1e6 for f in (max, min))
        share = f"{rate * OPERATIONS / peak / c.cores:.0%}" if "GPU" not in c.title else ""
        lines.append(
            f"| {c.title} | {c.cores} | {rate / 1e6:.3f} | {low:.3f}–{high:.3f} | {rate / best:.2f} "
            f"| {rate * OPERATIONS / 1e9:.1f} | {share} | {c.about['distance']:.0e} "
            f"| {len(c.samples)} ({len(c.disturbed)}) |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(sys.argv[1])
    else:
        text = table(measure())
        print(text)
        Path(__file__).with_suffix(".md").write_text(text)
