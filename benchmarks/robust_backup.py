"""What does one robust backup of a pair cost, side by side with what else one would write it in?

    python benchmarks/robust_backup.py            measures, prints the table and writes benchmarks/robust_backup.md

(s,a)-rectangular L1 balls, S = 100, A = 10, γ = 0.95, budget 0.3, full support, float64, one core.  A backup is
c(s, a) + γ max p·v for one pair, the sort of the values counted in.  All contenders back up the same values in the same
run and are compared with linear programs first; samples go round the contenders in turn.  Needs mdplab with ``test``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (after the number of threads is set)
from side_by_side import machine, versions  # noqa: E402

S, A, DISCOUNT, BUDGET = 100, 10, 0.95, 0.3
ROUNDS, SECONDS = 9, 0.2
COMPARED = 20  # pairs that the linear programs answer


def model() -> Any:
    from mdplab.models import L1Ball, RobustMDP

    rng = np.random.default_rng(0)
    return RobustMDP(rng.dirichlet(np.ones(S), (S, A)), rng.random((S, A)), DISCOUNT, L1Ball(np.full((S, A), BUDGET)))


# --- contenders: each is (how many pairs a call backs up, a call that returns their worst values p·v)


def compiled(mdp: Any, v: np.ndarray) -> tuple[int, Callable[[], Any]]:
    from mdplab.kernels import robust_l1_compiled
    from mdplab.kernels.robust_l1 import L1Backup

    sweeps = 200
    return S * A * sweeps, lambda: robust_l1_compiled.sweep(L1Backup(mdp), v, sweeps)


def definition(mdp: Any, v: np.ndarray) -> tuple[int, Callable[[], Any]]:
    from mdplab.kernels.robust_l1 import L1Backup, sweep

    return S * A, lambda: sweep.definition(L1Backup(mdp), v, 1)


def closed_form(mdp: Any, v: np.ndarray) -> tuple[int, Callable[[], Any]]:
    """NumPy with one sort a sweep: what a person would write."""

    def call() -> np.ndarray:
        order = np.argsort(v)
        P, z = mdp.P[..., order], v[order]
        ε = np.minimum(mdp.ambiguity.budget / 2, 1 - P[..., -1])
        before = np.cumsum(P[..., :-1], axis=-1) - P[..., :-1]
        moved = np.minimum(P[..., :-1], np.maximum(ε[..., None] - before, 0))
        return P @ z + moved.sum(axis=-1) * z[-1] - moved @ z[:-1]

    return S * A, call


def highs(mdp: Any, v: np.ndarray) -> tuple[int, Callable[[], Any]]:
    from scipy.optimize import linprog

    n = S
    upper = np.block([[np.eye(n), -np.eye(n)], [-np.eye(n), -np.eye(n)], [np.zeros((1, n)), np.ones((1, n))]])
    equal = np.concatenate([np.ones(n), np.zeros(n)])[None]

    def one(p: np.ndarray) -> float:
        b = np.concatenate([p, -p, [BUDGET]])
        found = linprog(np.concatenate([-v, np.zeros(n)]), upper, b, equal, [1.0], bounds=(0, None), method="highs")
        return -float(found.fun)

    rows = mdp.P.reshape(-1, n)[:COMPARED]
    return COMPARED, lambda: np.array([one(p) for p in rows])


def cvxpy_parameters(mdp: Any, v: np.ndarray) -> tuple[int, Callable[[], Any]]:
    import cvxpy as cp

    p, nominal, z = cp.Variable(S, nonneg=True), cp.Parameter(S), cp.Parameter(S)
    problem = cp.Problem(cp.Maximize(z @ p), [cp.sum(p) == 1, cp.norm1(p - nominal) <= BUDGET])
    rows = mdp.P.reshape(-1, S)[:COMPARED]

    def call() -> np.ndarray:
        out = []
        for row in rows:
            nominal.value, z.value = row, v
            out.append(problem.solve(solver=cp.CLARABEL))
        return np.array(out)

    return COMPARED, call


CONTENDERS: dict[str, Callable[[Any, np.ndarray], tuple[int, Callable[[], Any]]]] = {
    "mdplab, compiled": compiled,
    "mdplab, the definition": definition,
    "NumPy, closed form": closed_form,
    "SciPy, HiGHS": highs,
    "cvxpy with parameters": cvxpy_parameters,
}


def errors(mdp: Any, v: np.ndarray) -> dict[str, float]:
    """How far each contender's worst values, or its backup, are from the linear programs' and the closed form's."""
    exact = closed_form(mdp, v)[1]()
    backup = np.min(mdp.c + DISCOUNT * exact, axis=-1)
    from mdplab.kernels import robust_l1_compiled
    from mdplab.kernels.robust_l1 import L1Backup, sweep

    programs = highs(mdp, v)[1]()
    return {
        "mdplab, compiled": float(abs(robust_l1_compiled.sweep(L1Backup(mdp), v, 1) - backup).max()),
        "mdplab, the definition": float(abs(sweep.definition(L1Backup(mdp), v, 1) - backup).max()),
        "NumPy, closed form": float(abs(programs - exact.reshape(-1)[:COMPARED]).max()),
        "SciPy, HiGHS": 0.0,
        "cvxpy with parameters": float(abs(programs - cvxpy_parameters(mdp, v)[1]()).max()),
    }


def samples(mdp: Any, v: np.ndarray) -> dict[str, list[float]]:
    """Seconds a pair, up to ROUNDS samples of each contender during which it had its core, in turn."""
    calls = {name: make(mdp, v) for name, make in CONTENDERS.items()}
    for _, call in calls.values():
        call()
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(6 * ROUNDS):
        for name, (pairs, call) in calls.items():
            if len(found[name]) == ROUNDS:
                continue
            begin, cpu, n = time.perf_counter(), time.process_time(), 0
            while time.perf_counter() - begin < SECONDS:
                call()
                n += 1
            wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
            if wall <= 1.05 * cpu:  # else something else had the core for a while: the sample is thrown away
                found[name].append(wall / (n * pairs))
    return found


def table(found: dict[str, list[float]], off: dict[str, float]) -> str:
    best = median(found["mdplab, compiled"])
    lines = ["| | nanoseconds a pair | smallest–largest | × mdplab | off by |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, times in found.items():
        low, mid, high = min(times) * 1e9, median(times) * 1e9, max(times) * 1e9
        lines.append(f"| {name} | {mid:,.0f} | {low:,.0f}–{high:,.0f} | {mid / best / 1e9:,.1f} | {off[name]:.0e} |")
    return "\n".join(lines)


def main() -> None:
    mdp = model()
    v = np.random.default_rng(1).random(S) / (1 - DISCOUNT)
    text = f"""# Robust backup

(s,a)-rectangular L1 balls, S = {S}, A = {A}, γ = {DISCOUNT}, budget {BUDGET}, full support, float64, one core; one
pair.  Medians with the smallest and largest of {ROUNDS} samples taken in turn;
`python benchmarks/robust_backup.py` measures them again.  Samples in which the process had its core for less than
95 % of the time were thrown away; caches and memory were shared with other work all the same.

Machine: {machine()}, one used.  {versions("numpy", "numba", "scipy", "cvxpy")}.

{table(samples(mdp, v), errors(mdp, v))}

"off by": largest difference in the same run, for mdplab from the closed form, for the others from the linear programs.
"""
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
