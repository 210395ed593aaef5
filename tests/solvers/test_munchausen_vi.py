"""Value iteration with a memory: Munchausen, mirror descent, conservative, MVI(q); what conformance does not see."""

import numpy as np
import pytest

from mdplab.errors import MdplabError
from mdplab.exact import TsallisEntropy, optimum, regularised_optimum, soft_optimum
from mdplab.instances import families, two_by_two
from mdplab.solvers import (
    conservative_vi,
    mirror_descent_vi,
    munchausen_vi,
    soft_largest,
    tsallis_munchausen_vi,
)

MDP = families.garnet(np.random.default_rng(0), 3, S=4, A=3, b=2, discount=0.8)


def last(run):
    """The only iterate of a run."""
    (found,) = run
    return found


def test_without_strength_they_are_soft_and_regularised_value_iteration():
    """γ = 0.8: after 200 updates 0.8^200 < 1e-19 of the first error is left."""
    for q in (1, 2):
        run = tsallis_munchausen_vi(MDP, strength=0.0, temperature=0.3, q=q, at=[200])
        assert np.abs(last(run).Q - regularised_optimum(MDP, TsallisEntropy(0.3, q)).q).max() < 1e-13
    best = soft_optimum(MDP, 0.3).q
    assert np.abs(last(munchausen_vi(MDP, strength=0.0, temperature=0.3, at=[200])).q - best).max() < 1e-13
    assert np.abs(last(conservative_vi(MDP, strength=0.0, temperature=0.3, at=[200])).q - best).max() < 1e-13
    assert np.abs(last(mirror_descent_vi(MDP, divergence=0.0, entropy=0.3, at=[200])).q - best).max() < 1e-13
    assert np.abs(last(conservative_vi(MDP, strength=0.0, at=[200])).q - optimum(MDP).q).max() < 1e-13


def test_advantage_learning_ranks_actions_as_the_optimum_does():
    """What an action loses is 1 / (1 − α) = 10 times as much as in the optimum, in the end; ties stay ties."""
    best = optimum(MDP)
    found = last(conservative_vi(MDP, strength=0.9, at=[1000])).q
    assert found.max(axis=-1)[..., None] - found == pytest.approx(10 * best.loss, abs=1e-9)


def test_a_soft_maximum_lies_above_the_maximum_by_at_most_log_A():
    q = np.array([[1.0, 1.0, 1.0], [0.0, -900.0, 700.0]])
    assert soft_largest(q, 0.5) == pytest.approx([1 + 0.5 * np.log(3), 700], rel=1e-15)


def test_a_run_ends_with_its_errors():
    noise = [0 * MDP.r] * 3
    for run in (
        munchausen_vi(MDP, strength=0.5, temperature=1.0, errors=noise),
        mirror_descent_vi(MDP, divergence=0.5, errors=noise),
        conservative_vi(MDP, strength=0.5, errors=noise),
        tsallis_munchausen_vi(MDP, strength=0.5, temperature=1.0, q=2, errors=noise),
    ):
        assert [it.k for it in run] == [0, 1, 2, 3]


def test_errors_are_added_as_they_are():
    """The first update from zero: q_1 = r + ε plus what both runs have in common."""
    ε = np.arange(12.0).reshape(4, 3) + 0 * MDP.r
    for solver, options in (
        (munchausen_vi, {"strength": 0.5, "temperature": 1.0}),
        (mirror_descent_vi, {"divergence": 0.5}),
        (conservative_vi, {"strength": 0.5}),
    ):
        wrong, right = last(solver(MDP, errors=[ε], at=[1], **options)), last(solver(MDP, at=[1], **options))
        assert np.abs(wrong.q - right.q - ε).max() < 1e-13


def test_wrong_shapes_are_named():
    with pytest.raises(MdplabError, match="errors has shape"):
        list(munchausen_vi(two_by_two().floats(), strength=0.5, temperature=1.0, errors=[np.zeros(2)]))
    with pytest.raises(MdplabError, match="strength has shape"):
        munchausen_vi(two_by_two().floats(), strength=np.zeros(2), temperature=1.0)
    with pytest.raises(MdplabError, match=r"q is 0\.5"):
        list(tsallis_munchausen_vi(two_by_two().floats(), strength=0.5, temperature=1.0, q=0.5))
