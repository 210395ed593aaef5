"""What the engine cannot know about theorems/klein2024.py: numbers by hand, and those of a lock."""

from itertools import islice

import flint
import numpy as np
import pytest

from mdplab.arrays import floats, largest, rational, rational_number, softmax, total
from mdplab.exact import finite_horizon as exact
from mdplab.instances.finite_horizon import late_choice, lock, twin_states, uneven
from mdplab.sampling import Outcomes, mean
from mdplab.solvers import dynamic_step_sizes, epoch_pg, simultaneous_pg
from theorems import klein2024 as paper


def number(x):
    return rational_number(x)


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


ONE, EVEN, ONE_START = twin_states(1), rational([["1/2", "1/2"]]), rational([1])
TURN = rational([[1, -1]])


def test_both_gradients_of_an_even_choice_by_hand():
    """One state, rewards (1, 0), π = (1/2, 1/2): A = ±1/2, so ±1/4 by either scheme."""
    for b in (next(paper.grad_sim(ONE, EVEN)), next(paper.grad_dyn(ONE, EVEN, ONE_START))):
        slope = b[paper.dJ] if paper.dJ in b else b[paper.dJ_h]
        assert (slope == rational([["1/4", "-1/4"]])).all()


def test_curvature_by_hand():
    """π = (3/4, 1/4) along (1, −1): Σ π (u − 1/2)² A = 3/64 − 27/64 = −3/8, where ‖u‖² = 2.

    Allowed are 1 · 1 · (2 − 1/2) · 2 = 3 of all epochs, 2 · 1 · 1 · 2 = 4 of one, and 2/(3√3) = .385 sharply.
    """
    π = rational([["3/4", "1/4"]])
    (together,) = paper.smooth_sim.trace(ONE, π, TURN)
    assert together[1:] == (number("3/8"), 3)
    (epoch,) = paper.smooth_dyn.trace(ONE, π, ONE_START, TURN)
    assert (epoch[1][0], epoch[2][0]) == (number("3/8"), 4)
    (sharp,) = paper.smooth_dyn_sharp.trace(ONE, π, ONE_START, TURN)
    assert sharp[1][0] == number("3/8")
    assert sharp[2][0].overlaps(2 / (3 * flint.arb(3).sqrt()))


def test_domination_of_all_epochs_by_hand():
    """An even choice: the slope is √(2/16), and 1/2 · 1/2 is promised."""
    _, promised, slope = next(paper.wpl_sim.trace(ONE, 0 * TURN))
    assert promised.overlaps(flint.arb(0.25))
    assert slope.overlaps(flint.arb(0.125).sqrt())


def test_a_rate_without_S_fails_for_forty_states_by_hand():
    """4 A² / n = 16/36 = .444; forty states of weight 1/40 have moved each logit by less than 35 · 1/2 · 1/40 · 1/4.

    So the sub-optimality is at least 1/(1 + e^(7/32)) = .4455.
    """
    run = paper.rate_dyn_without_S.trace(twin_states(40), up_to=36)
    _, loss, bound = next(x for x in run if x[0][paper.n] == 36)
    assert bound[0].overlaps(flint.arb(16) / 36)
    assert loss[0] > 1 / (1 + (flint.arb(7) / 32).exp()) > bound[0]


def test_steps_of_an_epoch_by_hand():
    """As above the first update moves each logit by 1/8 and gains 1/2 − 1/(1 + e^(1/4)).

    At least: half of 1/2 · 1/8; 1/4 · 1/4 over 4 of the epoch; and 1/2 · 1/2 · 1/4 · 1/4 in the state.
    """
    gained = flint.arb(0.5) - 1 / (1 + flint.arb(0.25).exp())
    zero = 0 * TURN
    _, least, gain = next(paper.rate_dyn_step.trace(ONE, EVEN, ONE_START, zero))
    assert least[0].overlaps(flint.arb(1) / 32)
    assert gain[0].overlaps(gained)
    _, least, gain = next(paper.rate_dyn_sup_step.trace(ONE, EVEN, ONE_START, zero))
    assert least[0].overlaps(flint.arb(1) / 64)
    assert gain[0].overlaps(gained)
    (_, loss, bound), *_ = paper.rate_dyn_sup.trace(ONE, EVEN, ONE_START, zero, up_to=1)
    assert loss[0].overlaps(flint.arb(0.5))
    assert bound[0].overlaps(flint.arb(16))
    _, _, rise = next(paper.c_uniform.trace(ONE, EVEN, ONE_START, zero, number("1/2")))
    assert rise[0].overlaps(gained)


def test_the_telescope_of_a_lock_by_hand():
    """Two epochs, the right action taken with 1/2 and 1/4: V_0 = 1/8, and the epochs lose 1/8 and 3/4 of 1."""
    π = rational([["1/2", "1/2"], ["1/2", "1/2"], ["1/4", "3/4"], ["1/2", "1/2"]])
    _, error, losses = next(paper.telescope.trace(lock(2), π))
    assert error == number("7/8")
    assert losses == number("1/8") + number("3/4")


def test_whole_runs_by_hand():
    """One state, ε = 1/2: N = 4 · 4 / (1/2) = 32 updates by either budget; that is more than enough."""
    share = number("1/2")
    assert paper.printed_budget(ONE, ONE_START, share).tolist() == [32]
    for theorem in (paper.thm_dyn, paper.thm_dyn_sup):
        _, error, allowed = next(theorem.trace(ONE, ONE_START, share))
        assert allowed == share
        assert 0 < error < flint.arb(1) / 5


def test_a_step_of_all_epochs_by_hand():
    """η = 1/5: logits move by 1/20, and 1/(1 + e^(1/10)) is lacking; the bound is 25/4 / (1/4), the gain 4/5 η/8."""
    lacking = 1 / (1 + (flint.arb(1) / 10).exp())
    _, loss, bound = next(paper.thm_sim.trace(ONE, 0 * TURN))
    assert loss.overlaps(lacking)
    assert bound.overlaps(flint.arb(25))
    _, least, gain = next(paper.rate_sim_step.trace(ONE, 0 * TURN))
    assert least.overlaps(flint.arb(1) / 50)
    assert gain.overlaps(flint.arb(0.5) - lacking)


def test_mean_gain_of_one_sampled_update_by_hand():
    """Rewards (1, 0), θ = 0, η = 2: half of the draws pay, (1/2, −1/2) is the estimate, and logits become (1, −1).

    Mean gain (1/2) (1 / (1 + e^−2) − 1/2), squared gradient 1/8 (norm² of (1/4, −1/4)), mean square 1/4.
    """
    outcomes = Outcomes()
    inputs = paper.sgd_ascent.instance({"mdp": twin_states(1), "step_size": number(2)})
    (found,) = paper.sgd_ascent(**inputs, draws=outcomes)
    assert floats(outcomes.probability) == pytest.approx([0.5, 0.5])
    gain = mean(outcomes.probability, found[paper.mean_gain])
    assert float(floats(gain)) == pytest.approx((1 / (1 + np.exp(-2)) - 0.5) / 2)
    assert float(floats(found[paper.slope_h] ** 2)) == pytest.approx(1 / 8)
    assert float(floats(mean(outcomes.probability, found[paper.square_h]))) == pytest.approx(1 / 4)


def test_batches_of_the_stopping_time():
    assert paper.printed_batch(2, 2, 0.5) == 640
