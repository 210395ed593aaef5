"""Policy gradient over a finite horizon takes the steps that its definition says, in every arithmetic."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number, softmax, total
from mdplab.errors import MdplabError
from mdplab.exact.finite_horizon import gap, optimum, values
from mdplab.instances.finite_horizon import late_choice, lock, of_sizes, uneven
from mdplab.solvers import dynamic_pg, dynamic_step_sizes, epoch_pg, simultaneous_pg, uniform_in_epochs


def differences(f, θ):
    """Central differences of f at θ; with step 1e-5 in float64 they err by about 1e-10."""
    out = np.zeros_like(θ)
    for i in np.ndindex(θ.shape):
        e = np.zeros_like(θ)
        e[i] = 1e-5
        out[i] = (f(θ + e) - f(θ - e)) / 2e-5
    return out


def test_simultaneous_steps_follow_the_gradient_of_all_epochs():
    mdp = uneven().floats()
    θ = np.random.default_rng(0).normal(size=(6, 2))
    first, second = islice(simultaneous_pg(mdp, θ), 2)
    η = 1 / (5 * 9 * 1)
    wanted = η * differences(lambda x: mdp.start @ values(mdp, softmax(x)), θ)
    assert abs(second.θ - first.θ - wanted).max() <= 1e-10


def test_dynamic_steps_follow_the_gradient_against_trained_epochs():
    """One update of epoch 0 after three of epoch 1 and five of epoch 2, which must be what the second value sees."""
    mdp, updates = uneven().floats(), [1, 3, 5]
    *_, last = dynamic_pg(mdp, updates=updates)
    _, before, trained = (x.π for x in dynamic_pg(mdp, updates=updates))
    assert (trained[1:] == before[1:]).all()

    def J(x):
        return values(mdp, np.concatenate([softmax(x), before[1:]]))[0]

    wanted = softmax(1 / 6 * differences(J, np.zeros((1, 2))))
    assert abs(last.π[0] - wanted[0]).max() <= 1e-10


def test_what_is_handed_out_is_what_was_asked_for():
    mdp = uneven().floats()
    every = list(islice(simultaneous_pg(mdp, optimum=optimum(mdp)), 11))
    some = list(simultaneous_pg(mdp, optimum=optimum(mdp), at=[0, 3, 10]))
    assert [x.k for x in some] == [0, 3, 10]
    assert all((every[x.k].θ == x.θ).all() and every[x.k].least == x.least for x in some)
    chosen = [x.π[np.arange(6), optimum(mdp).action].min() for x in every]
    assert some[-1].least == min(chosen)
    assert abs(some[-1].total_gap - sum(gap(mdp, x.π, optimum(mdp)) for x in every)) < 1e-12


def test_training_backward_knows_what_will_be_played_later():
    mdp = late_choice().floats()
    *_, last = dynamic_pg(mdp, updates=[3000, 3000])
    assert values(mdp, last.π)[0] > 0.97
    assert last.epoch == 0


def test_models_of_a_batch_stop_when_they_have_had_their_updates():
    mdp = of_sizes(np.random.default_rng(1), 3, (2, 3), A=2)
    updates = np.array([[4, 7], [4, 2], [0, 2]])
    together = list(dynamic_pg(mdp, updates=updates))
    for i in range(3):
        alone = list(dynamic_pg(mdp[i], updates=updates[i]))
        for x, y in zip(together, alone, strict=True):
            assert abs(x.π[i] - y.π).max() < 1e-15
            assert abs(x.least[i] - y.least).max() < 1e-15


def test_balls_hold_float_runs():
    mdp = lock(3)
    *_, one = dynamic_pg(mdp, updates=[5, 5, 5])
    *_, two = dynamic_pg(mdp.floats(), updates=[5, 5, 5])
    assert abs(floats(one.π) - two.π).max() < 1e-14
    x, y = (next(simultaneous_pg(m, at=[5])) for m in (mdp, mdp.floats()))
    assert abs(floats(x.π) - y.π).max() < 1e-14


def test_one_epoch_alone_by_hand():
    """q = (1, 0), one state, η = 1: the logits move by ± 1/4."""
    q, μ = rational([[1, 0]]), rational([1])
    second = next(epoch_pg(q, μ, step_sizes=1, at=[1]))
    assert [x.contains(y) for x, y in zip(second.θ[0], rational(["1/4", "-1/4"]), strict=True)] == [True, True]
    assert second.least[0].contains(rational_number("1/2"))


def test_default_steps_and_starts():
    assert (dynamic_step_sizes(uneven()) == rational(["1/6", "1/4", "1/2"])).all()
    assert (uniform_in_epochs(uneven()) == rational([1, "1/3", "1/3", "1/3", "1/2", "1/2"])).all()
    assert total(uniform_in_epochs(uneven().floats())) == pytest.approx(3)


def test_wrong_shapes_are_refused():
    mdp = uneven()
    with pytest.raises(MdplabError, match=r"θ has shape \(2, 2\); logits of this model have shape \(6, 2\)"):
        simultaneous_pg(mdp, rational([[0, 0]] * 2))
    with pytest.raises(MdplabError, match=r"updates has shape \(2,\); expected \(3,\)"):
        dynamic_pg(mdp, updates=[1, 2])
    with pytest.raises(MdplabError, match=r"step_size has shape \(6,\)"):
        simultaneous_pg(mdp, step_size=rational([1] * 6))


def test_the_array_namespace_is_that_of_the_model():
    """Under the strict namespace, which has nothing but the standard, the same numbers come out."""
    strict = pytest.importorskip("array_api_strict")
    mdp = of_sizes(np.random.default_rng(2), 3, (1, 3, 2))
    other = mdp.map(strict.asarray)
    runs = [simultaneous_pg(m, optimum=optimum(m), at=[0, 3]) for m in (mdp, other)]
    for x, y in zip(*runs, strict=True):
        assert (x.θ == np.asarray(y.θ)).all()
        assert (x.least == np.asarray(y.least)).all()
    updates = np.array([[1, 2, 3], [3, 2, 1], [0, 1, 0]])
    for x, y in zip(*(dynamic_pg(m, updates=updates) for m in (mdp, other)), strict=True):
        assert (x.π == np.asarray(y.π)).all()
