"""Policy gradient in POMDPs: ascent in rationals by hand, the runs of the paper's cards, and refusals."""

import numpy as np
import pytest

from mdplab.arrays import rational
from mdplab.errors import MdplabError, ModelError
from mdplab.exact import history_gradient, history_value, naive_gradient, stateful_gradient, stateful_values
from mdplab.instances import blind_twins, memory_needed, sign_reversal
from mdplab.solvers import confounded_pg, stateful_pg


@pytest.mark.parametrize(
    ("horizon", "gradient", "value"),
    [(1, None, 0.5973), (1, naive_gradient, 0.4013), (2, None, 1.3174), (2, naive_gradient, 0.8016)],
)
def test_the_naive_gradient_makes_the_policy_worse_and_bridges_make_it_better(horizon, gradient, value):
    """200 steps of size 2 from no preference; four digits were written down by an independent program."""
    model = sign_reversal(horizon).floats()
    (last,) = confounded_pg(model, np.zeros((2, 2)), step_size=2.0, gradient=gradient, at=[200])
    assert last.k == 200
    assert history_value(model, last.π) == pytest.approx(value, abs=5e-5)


def test_identified_and_true_gradients_make_the_same_steps():
    """Both are right to 1e-12 a step at condition numbers of some hundreds; fifty steps add up."""
    model = sign_reversal(2).floats()
    runs = [confounded_pg(model, step_size=1.0, gradient=g, at=[0, 50]) for g in (None, history_gradient)]
    for mine, true in zip(*runs, strict=True):
        assert np.abs(mine.θ - true.θ).max() < 1e-10


def test_one_step_is_the_gradient():
    model = sign_reversal(2)
    first, second = (it for it, _ in zip(confounded_pg(model, step_size=rational(1)[()]), range(2), strict=False))
    assert all(
        x.overlaps(y) if hasattr(x, "overlaps") else x == y
        for x, y in zip(second.θ.flat, history_gradient(model, first.π).flat, strict=True)
    )
    pomdp, θ = memory_needed(), rational(np.arange(24).reshape(3, 2, 2, 2) % 5)
    run = stateful_pg(pomdp.floats(), θ.astype(float), step_size=0.5)
    a, b = next(run), next(run)
    assert np.allclose(b.θ - a.θ, 0.5 * stateful_gradient(pomdp.floats(), a.π), rtol=1e-12, atol=1e-15)


def test_memory_is_learned_where_it_is_needed():
    model, values = memory_needed().floats(), {}
    for Z in (1, 2):
        θ = 0.1 * np.random.default_rng(0).normal(size=(3, Z, 2, Z))
        (last,) = stateful_pg(model, θ, step_size=2.0, at=[400])
        values[Z] = (model.start @ stateful_values(model, last.π))[0]
    assert values[1] == pytest.approx(0.45, abs=1e-12)  # half of γ, whatever it does
    assert values[2] > 0.88


def test_a_gradient_that_is_not_identified_and_wrong_shapes_are_refused():
    with pytest.raises(ModelError, match="do not determine the value"):
        confounded_pg(blind_twins()[0], step_size=1)
    with pytest.raises(MdplabError, match=r"θ has shape \(3, 3\)"):
        confounded_pg(sign_reversal(), np.zeros((3, 3)), step_size=1)
    with pytest.raises(MdplabError, match="2 memory states call for"):
        stateful_pg(memory_needed(), np.zeros((1, 2, 2, 2)), step_size=1)
    with pytest.raises(MdplabError, match="increase"):
        list(confounded_pg(sign_reversal().floats(), step_size=1.0, at=[3, 1]))
