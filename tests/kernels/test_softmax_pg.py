"""The compiled bodies of softmax policy gradient agree with the definition, and the definition with balls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import array_api_strict
import numpy as np
import pytest

from mdplab import kernels
from mdplab.arrays import EPS, ball, floats, number, rational
from mdplab.kernels.softmax_pg import Ascent, Sums, advance, nothing_yet
from mdplab.models import DiscountedMDP

U = EPS / 2


def models(B: int, S: int, A: int, seed: int = 0) -> Ascent:
    """Probabilities and rewards are dyadic, so that float64 and rationals hold the same models; each model has its own
    discount, step size, start distribution and losses."""
    rng = np.random.default_rng([seed, B, S, A])
    P = rng.multinomial(1024, rng.dirichlet(np.full(S, 0.5), (B, S, A))) / 1024
    start = rng.multinomial(256, np.full(S, 1 / S), B) / 256
    discount = rng.integers(0, 15, B) / 16
    mdp = DiscountedMDP(P, rng.integers(0, 65, (B, S, A)) / 64, discount, start)
    step = (1 - discount) ** 3 / 8 * 2.0 ** rng.integers(0, 4, B)
    return Ascent(mdp, step, rng.integers(0, A, (B, S)), rng.integers(0, 65, (B, S, A)) / 64)


def logits(ascent: Ascent, spread: float = 2.0) -> np.ndarray:
    return spread * np.random.default_rng(1).normal(size=ascent.mdp.r.shape)


def in_balls(ascent: Ascent, n: int) -> Ascent:
    """The n-th model alone, exactly."""
    mdp = ascent.mdp[n]
    return Ascent(mdp.exact(), rational(ascent.step_size[n])[()], ascent.action[n], rational(ascent.loss[n]))


def lanes_advance(*args: Any) -> tuple[np.ndarray, Sums | None]:
    pytest.importorskip("numba")
    from mdplab.kernels import softmax_pg_lanes

    return softmax_pg_lanes.advance(*args)


# How far one update in float64 may lie from the exact one.  u = 2^-53, H = 1 / (1 − γ), 0 <= r <= 1.
# Policy: θ − max rounds to a relative u, which exp turns into a factor e^(u |θ − max|); exp itself 2u, a sum of A
#   terms, one division; log π, at most Z + log A in size, rounds twice more: relative ε = (4 Z + 2 A + 12) u, Z the
#   largest max − min of θ in a state.
# M = I − γ P_π: ε + (A + 4) u in the norm ‖·‖∞.  LU: backward error 3 S u |L| |U| (Higham 2002, Theorem 9.4); M is
#   diagonally dominant by rows, so is U, cond(U) <= 2 S − 1 (Lemma 8.8), hence ‖|L| |U|‖ <= (2 S − 1) ‖M‖ <= 4 S.
#   Together κ = ε + (A + 4 + 12 S²) u, for M' too, where the norm is ‖·‖_1.
# ‖M^-1‖ = H:  |δv| <= H² (κ + ε + A u) <= 2 H² κ,  ‖δd‖_1 <= H² κ,  |A^π| <= 2 H with |δA| <= 2 |δv| + 2 (S + 4) u H.
# η d π A: η (2 H ‖δd‖ + 2 H² ε + H |δA| + 8 u H²) <= η H³ (8 κ + (2 S + 16) u), and u |θ| for adding it to θ.
# First order in u, and doubled below for what that leaves out.


def roundings(ascent: Ascent, θ: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ε, κ and the bound of the update, for each model."""
    S, A = ascent.mdp.S, ascent.mdp.A
    finite = np.where(np.isfinite(θ), θ, θ.max(axis=-1, keepdims=True))  # probability zero is exact
    ε = (4 * (finite.max(axis=-1) - finite.min(axis=-1)).max(axis=-1) + 2 * A + 12) * U
    κ = ε + (A + 4 + 12 * S * S) * U
    H = 1 / (1 - np.asarray(ascent.mdp.discount))
    update = ascent.step_size * H**3 * (8 * κ + (2 * S + 16) * U) + U * abs(finite).max(axis=(-1, -2))
    return 2 * ε, 2 * κ, 2 * update


SIZES = [(1, 1, 1), (1, 1, 3), (7, 2, 3), (8, 3, 1), (9, 4, 2), (3, 5, 6), (2, 8, 2), (1, 21, 4)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("run", [lanes_advance, advance.definition], ids=["lanes", "definition"])
def test_one_update_and_its_sums_are_those_of_balls(run: Any, size: tuple[int, int, int]) -> None:
    ascent = models(*size)
    θ = logits(ascent)
    new, sums = run(ascent, θ, 0, 1, nothing_yet(ascent.mdp))
    ε, κ, update = roundings(ascent, θ)
    for n in range(size[0]):
        one = in_balls(ascent, n)
        exact, enclosed = advance(one, rational(θ[n]), 0, 1, nothing_yet(one.mdp))
        assert floats(abs(exact - rational(new[n]))).max() <= update[n]
        least = number(enclosed.least)
        assert abs(sums.least[n] - least) <= ε[n] * least
        # Σ d Σ π loss, loss <= 1: ‖δd‖_1 + H (ε + (S + A) u), and the sum of the bounds above is less than 2 H² κ.
        H = 1 / (1 - ascent.mdp.discount[n])
        assert abs(number(enclosed.total_gap - ball(sums.total_gap[n]))) <= 2 * H**2 * κ[n]


def trajectory_bound(ascent: Ascent, θ: np.ndarray, steps: int) -> np.ndarray:
    """How far two runs in float64 may part: each update may put both off, and the map θ -> θ + η ∇V(θ) stretches
    distances by at most 1 + 8 η H³ (Mei et al. 2020, Lemma 7), in the Euclidean norm."""
    stretch = 8 * ascent.step_size / (1 - ascent.mdp.discount) ** 3
    wander = steps * ascent.step_size / (1 - ascent.mdp.discount) ** 2  # so far may θ go, hence the spread grow
    _, _, update = roundings(ascent, θ + wander[:, None, None] * np.sign(θ))
    return 2 * update * np.sqrt(θ[0].size) * ((1 + stretch) ** steps - 1) / stretch


@pytest.mark.parametrize("size", [*SIZES, (16, 20, 5), (17, 6, 2)])
def test_ten_updates_of_the_lanes_are_those_of_the_definition(size: tuple[int, int, int]) -> None:
    ascent = models(*size)
    small = Ascent(ascent.mdp, (1 - ascent.mdp.discount) ** 3 / 64, ascent.action, ascent.loss)
    θ = logits(small)
    ours, sums = lanes_advance(small, θ, 0, 10, nothing_yet(small.mdp))
    theirs, their_sums = advance.definition(small, θ, 0, 10, nothing_yet(small.mdp))
    apart = trajectory_bound(small, θ, 10)
    assert (abs(ours - theirs).max(axis=(1, 2)) <= apart).all()
    assert (apart < 1e-7).all()  # far below what any wrong term would make
    # π moves by at most as much as θ (d log π <= 2 dθ), d by H² and the gap by H² times twice that.
    H = 1 / (1 - small.mdp.discount)
    assert (abs(sums.least - their_sums.least) <= 2 * apart + 1e-15).all()
    assert (abs(sums.total_gap - their_sums.total_gap) <= 10 * 4 * H**2 * (apart + roundings(small, θ)[1])).all()


@pytest.mark.parametrize("run", [lanes_advance, advance.definition], ids=["lanes", "definition"])
def test_extreme_logits_neither_overflow_nor_move_actions_of_probability_zero(run: Any) -> None:
    """One state, γ = 0: θ(a) += η π(a) (r(a) − r_π), by hand."""
    mdp = DiscountedMDP(np.ones((4, 1, 2, 1)), np.tile([[1.0, 0.0]], (4, 1, 1)), 0.0)
    θ = np.array([[[8e307, -8e307]], [[0.0, -np.inf]], [[-700.0, 0.0]], [[-1e5, -1e5]]])
    new, sums = run(Ascent(mdp, 1.0, np.ones((4, 1), dtype=int), mdp.r), θ, 0, 1, nothing_yet(mdp))
    assert (new[0] == θ[0]).all()
    assert (new[1] == θ[1]).all()
    small = np.exp(-700.0)
    assert abs(new[2, 0, 0] + 700) <= 700 * EPS
    assert abs(new[2, 0, 1] / -small - 1) <= 701 * 4 * U  # π(1) = 1 − small, r(1) − r_π = −small; see ε above
    assert new[3, 0].tolist() == [-1e5 + 0.25, -1e5 - 0.25]
    assert sums.least.tolist() == [0.0, 0.0, 1.0, 0.5]


def test_a_model_gives_the_same_bytes_in_any_company_and_with_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ascent = models(100, 5, 3)
    θ = logits(ascent)
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("mdplab.kernels.softmax_pg_lanes.threads", lambda threads=threads: threads)
        results.append(lanes_advance(ascent, θ, 0, 30, nothing_yet(ascent.mdp)))
    new, sums = results[0]
    for other, other_sums in results[1:]:
        assert other.tobytes() == new.tobytes()
        assert other_sums.total_gap.tobytes() == sums.total_gap.tobytes()
    few = Ascent(ascent.mdp[37:42], ascent.step_size[37:42], ascent.action[37:42], ascent.loss[37:42])
    alone, alone_sums = lanes_advance(few, θ[37:42], 0, 30, nothing_yet(few.mdp))
    assert alone.tobytes() == new[37:42].tobytes()
    assert alone_sums.least.tobytes() == sums.least[37:42].tobytes()


def test_the_lanes_can_stop_and_go_on_at_any_iterate() -> None:
    ascent = models(9, 6, 2)
    θ = logits(ascent)
    at_once, sums = lanes_advance(ascent, θ, 0, 25, nothing_yet(ascent.mdp))
    middle, middle_sums = lanes_advance(ascent, θ, 0, 7, nothing_yet(ascent.mdp))
    same, same_sums = lanes_advance(ascent, middle, 7, 7, middle_sums)
    later, later_sums = lanes_advance(ascent, same, 7, 25, same_sums)
    assert later.tobytes() == at_once.tobytes()
    assert later_sums.total_gap.tobytes() == sums.total_gap.tobytes()
    assert later_sums.least.tobytes() == sums.least.tobytes()


def test_bodies_leave_their_arguments_alone_and_follow_the_shape_of_the_batch() -> None:
    flat = models(6, 3, 2)
    mdp = flat.mdp.map(lambda x: x.reshape(2, 3, *x.shape[1:]))
    ascent = Ascent(mdp, 0.125, flat.action.reshape(2, 3, 3), flat.loss.reshape(mdp.r.shape))
    θ = logits(ascent)
    before = θ.copy()
    for run in (lanes_advance, advance.definition):
        new, sums = run(ascent, θ, 0, 3, nothing_yet(mdp))
        assert new.shape == θ.shape
        assert sums.least.shape == sums.total_gap.shape == (2, 3)
        assert (θ == before).all()
        plain, none = run(Ascent(mdp, 0.125), θ, 0, 3, None)
        assert none is None
        assert (plain == new).all()
    single = Ascent(mdp[0, 0], 0.125, ascent.action[0, 0], ascent.loss[0, 0])
    new, sums = lanes_advance(single, θ[0, 0], 0, 3, nothing_yet(single.mdp))
    assert new.shape == θ[0, 0].shape
    assert np.shape(sums.least) == ()


def test_the_definition_runs_under_the_array_api() -> None:
    ascent = models(3, 4, 2)
    θ = logits(ascent)
    xp = array_api_strict
    strict = Ascent(
        *(x.map(xp.asarray) if isinstance(x, DiscountedMDP) else xp.asarray(x) for x in vars(ascent).values())
    )
    new, sums = advance(strict, xp.asarray(θ), 0, 3, nothing_yet(strict.mdp))
    same, same_sums = advance(ascent, θ, 0, 3, nothing_yet(ascent.mdp))
    assert type(new).__module__.startswith("array_api_strict")
    assert (np.asarray(new) == same).all()  # array-api-strict computes with NumPy
    assert (np.asarray(sums.total_gap) == same_sums.total_gap).all()


SIMULATED = """
import sys
import numpy as np
from mdplab.kernels import softmax_pg_cuda
from mdplab.kernels.softmax_pg import Sums
sys.path.insert(0, {here!r})
from test_softmax_pg import logits, models, nothing_yet
out = {{}}
for size in {sizes!r}:
    ascent = models(*size)
    new, sums = softmax_pg_cuda.advance(ascent, logits(ascent), 0, 2, nothing_yet(ascent.mdp))
    plain, none = softmax_pg_cuda.advance(ascent, logits(ascent), 0, 2, None)
    assert none is None and (plain == new).all()
    name = "x".join(map(str, size))
    out |= {{name: new, name + " least": sums.least, name + " total_gap": sums.total_gap}}
softmax_pg_cuda.SHARED = 0  # a model too large for shared memory
large, _ = softmax_pg_cuda.advance(ascent, logits(ascent), 0, 2, nothing_yet(ascent.mdp))
np.savez({file!r}, large=large, **out)
"""


def test_the_cuda_body_on_the_simulator_agrees_with_the_definition(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    sizes, file = [(2, 1, 2), (2, 4, 3), (1, 6, 2)], str(tmp_path / "simulated.npz")
    code = SIMULATED.format(here=str(Path(__file__).parent), sizes=sizes, file=file)
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(Path(kernels.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    with np.load(file) as simulated:
        for size in sizes:
            ascent = models(*size)
            θ = logits(ascent)
            new, sums = advance.definition(ascent, θ, 0, 2, nothing_yet(ascent.mdp))
            apart = trajectory_bound(ascent, θ, 2)
            name = "x".join(map(str, size))
            H = 1 / (1 - ascent.mdp.discount)
            assert (abs(simulated[name] - new).max(axis=(1, 2)) <= apart).all()
            assert (apart < 1e-7).all()
            assert (abs(simulated[name + " least"] - sums.least) <= 2 * apart + 1e-15).all()
            gap = abs(simulated[name + " total_gap"] - sums.total_gap)
            assert (gap <= 2 * 4 * H**2 * (apart + roundings(ascent, θ)[1])).all()
        assert (simulated["large"] == new).all()  # the definition itself
