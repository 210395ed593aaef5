"""What the engine cannot know about theorems/klein2024.py: numbers by hand, and those of a lock."""

from itertools import islice

import flint
import numpy as np
import pytest

from mdplab.arrays import floats, largest, rational, rational_number, softmax, total
from mdplab.exact import finite_horizon as exact
from mdplab.instances.finite_horizon import late_choice, lock, twin_states, uneven
from mdplab.solvers import dynamic_step_sizes, epoch_pg, simultaneous_pg
from theorems import klein2024 as paper


def test_domination_without_S_is_off_by_the_root_of_half_of_S():
    """S identical states, π uniform, Q = (1, 0): each of 2S entries of the gradient is 1/(4S), c = δ = 1/2."""
    for S in (3, 8):
        _, bound, slope = next(paper.wpl_dyn_without_S.trace(twin_states(S), rational([["1/2", "1/2"]] * S)))
        assert bound[0] == rational_number("1/4")
        assert (slope[0] * slope[0]).overlaps(flint.arb(flint.fmpq(1, 8 * S)))


def test_other_inputs_of_a_named_instance_are_rational_as_its_model_is():
    assert (paper.wpl_dyn.instance(paper.twins)["start"] == rational(["1/3"] * 3)).all()


def test_one_update_by_hand():
    """One state, rewards (1, 0), θ = 0, η = 1/2: δ_1 = 1/2, δ_2 = 1/(1 + e^(1/4)); bounds 16/n."""
    (_, first, at_1), (_, second, at_2) = islice(paper.rate_dyn.trace(twin_states(1)), 2)
    assert first[0].overlaps(flint.arb(0.5))
    assert second[0].overlaps(1 / (1 + flint.arb(0.25).exp()))
    assert at_1[0].overlaps(flint.arb(16))
    assert at_2[0].overlaps(flint.arb(8))


def test_the_affine_derivative_is_that_of_differences():
    """Central differences in float64 with step 1e-5 err by about 1e-10."""
    mdp, π = uneven().floats(), floats(paper.uneven_policy)
    θ, found = np.log(π), floats(next(paper.grad_sim.trace(uneven(), paper.uneven_policy))[1])
    for i in np.ndindex(θ.shape):
        e = np.zeros_like(θ)
        e[i] = 1e-5
        up, down = (mdp.start @ exact.values(mdp, softmax(x)) for x in (θ + e, θ - e))
        assert abs(found[i] - (up - down) / 2e-5) <= 1e-10


def test_forward_training_is_misled_by_the_late_choice():
    """Against a second epoch without preference the sure state is worth 1/2 and the other 1/4; trained, 1/2 and 1."""
    mdp, start, updates = late_choice().floats(), np.array([1, 1 / 2, 1 / 2]), np.array([4000, 2000])
    there, back = (exact.values(mdp, train(mdp, start, updates))[0] for train in (paper.forward, paper.backward))
    assert back > 0.98
    assert there < 0.52


@pytest.mark.parametrize(("H", "together", "by_epoch"), [(2, 296, 149), (3, 1090, 429)])
def test_a_lock_opens_after_so_many_updates(H, together, by_epoch):
    """Updates until V_0 is within 1/10 of 1, and until each epoch loses at most 1/(10 H) in its worst state."""
    mdp = lock(H).floats()
    best, rows, updates = exact.optimum(mdp), list(mdp.split(np.full((2 * H, 2), 0.5), 2)), 0
    assert next(x.k for x in simultaneous_pg(mdp) if exact.gap(mdp, x.π, best) <= 0.1) == together
    for h in reversed(range(H)):
        q = mdp.split(exact.action_values(mdp, mdp.joined(rows, 2)), 2)[h]
        run = epoch_pg(q, np.full(2, 0.5), step_sizes=dynamic_step_sizes(mdp)[h])
        last = next(x for x in run if largest(largest(q) - total(x.π * q)) <= 0.1 / H)
        rows[h], updates = last.π, updates + last.k
    assert updates == by_epoch


def test_budgets_by_hand():
    """Late choice with two actions: N_0 = 4 · 2 · 1 · 4 · 1 / (1/8) and N_1 = 4 · 1 · 2 · 4 · 2 / (1/8)."""
    mdp, start = late_choice(2, "3/5"), rational([1, "1/2", "1/2"])
    assert paper.printed_budget(mdp, start, rational_number("1/8")).tolist() == [256, 512]
    assert paper.budget_without_S(mdp, start, rational_number("1/8")).tolist() == [256, 256]
    assert paper.whole(np.array([2.0, 2.1])).tolist() == [2, 3]
