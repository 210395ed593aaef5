"""Families give the same bytes for the same seed, and the models that their names promise."""

import numpy as np
import pytest

from mdplab.errors import InstanceError
from mdplab.exact import optimum, visits
from mdplab.instances import bandits, discounted_mdps, families


def rng(seed=0):
    return np.random.default_rng(seed)


DOMAINS = (
    discounted_mdps(),
    discounted_mdps(rewards="any"),
    discounted_mdps(positive_start=True),
    bandits(),
    bandits(unique_best=True),
)


@pytest.mark.parametrize("family", {f.name: f for d in DOMAINS for f in d.families}.values(), ids=lambda f: f.name)
def test_a_family_repeats_itself_byte_for_byte(family):
    a, b, other = family.make(rng(7), 50), family.make(rng(7), 50), family.make(rng(8), 50)
    assert a.batch == (50,)
    assert a.P.dtype == float
    for name in ("P", "r", "start", "discount"):
        assert np.asarray(getattr(a, name)).tobytes() == np.asarray(getattr(b, name)).tobytes()
    assert any(
        np.asarray(getattr(a, x)).tobytes() != np.asarray(getattr(other, x)).tobytes() for x in ("P", "r", "start")
    )


@pytest.mark.parametrize("family", discounted_mdps(positive_start=True).families, ids=lambda f: f.name)
def test_default_families_have_unit_rewards_many_discounts_and_positive_starts(family):
    mdp = family.make(rng(), 200)
    assert mdp.r.min() >= 0
    assert mdp.r.max() <= 1
    assert set(mdp.discount) == set(families.DISCOUNTS)  # 200 draws miss one of 7 with probability below 1e-12
    assert mdp.start.min() > 0


def test_garnet_rows_have_as_many_successors_as_asked():
    mdp = families.garnet(rng(), 100, S=8, A=3, b=3)
    assert ((mdp.P > 0).sum(axis=-1) == 3).all()
    assert ((families.garnet(rng(), 10, S=4, A=2).P > 0).sum(axis=-1) == 4).all()


def test_deterministic_rows_are_one_hot_and_noise_makes_them_positive():
    P = families.deterministic(rng(), 100, S=4, A=3).P
    assert ((P == 1).sum(axis=-1) == 1).all()
    assert ((P == 0).sum(axis=-1) == 3).all()
    noisy = families.deterministic(rng(), 100, S=4, A=3, noise=1e-3).P
    assert noisy.min() == 1e-3 / 4
    assert (noisy.max(axis=-1) > 0.999).all()


def test_near_ties_have_a_positive_but_small_loss():
    mdp = families.near_ties(rng(), 200, S=4, A=3, width=1e-3)
    loss = optimum(mdp).loss
    # Rewards of a state differ by at most 2w, and its expected next values by at most w span(V*) <= 2w² / (1 − γ).
    bound = 2e-3 * (1 + 1e-3 * mdp.discount / (1 - mdp.discount))
    assert (loss.max(axis=(1, 2)) <= bound * (1 + 1e-9)).all()  # w is far above rounding, 1e-12 or so
    assert (np.sort(loss, axis=-1)[..., 1] > 0).all()


def test_tiny_start_gives_all_states_but_one_the_least_probability():
    start = families.tiny_start(rng(), 100, S=3, A=2, least=1e-3).start
    assert ((start == 1e-3).sum(axis=-1) == 2).all()


def test_values_at_the_start_do_not_depend_on_states_that_cannot_be_reached():
    """The reachable states by a closure over positive probabilities; rewards elsewhere are changed."""
    mdp = families.one_start(rng(3), 200, S=6, A=2, b=1)
    reach = mdp.start > 0
    for _ in range(mdp.S):
        reach = reach | ((reach[:, :, None, None] * mdp.P).sum(axis=(1, 2)) > 0)
    lost = ~reach
    assert lost.any(axis=-1).mean() > 0.2
    changed = type(mdp)(mdp.P, np.where(lost[..., None], 1e3, mdp.r), mdp.discount, mdp.start)
    before, after = optimum(mdp), optimum(changed)
    assert (after.v[lost] > before.v[lost]).all()  # the change is felt where it was made
    at_start = (before.v[:, 0], after.v[:, 0])
    # Each V*(0) solves a system of its own; solving errs by at most cond · S · u, cond <= 2 / (1 − γ) <= 200,
    # relative to the largest value in the system, 1e3 / (1 − γ).
    assert np.abs(at_start[0] - at_start[1]).max() <= 200 * 6 * 2.3e-16 * 1e3 * 100
    assert (visits(mdp, before.policy)[lost] == 0).all()


def test_the_chain_without_slip_pays_for_going_on_to_the_end():
    """S = 3, γ = 0.9, no slip: V* = (γ², γ, 1) / (1 − γ) beats 0.2 / (1 − γ) for going back at every step."""
    mdp = families.chain(rng(), 1, S=3, slip=0.0, discount=0.9)[0]
    found = optimum(mdp)
    assert found.action.tolist() == [0, 0, 0]
    np.testing.assert_allclose(found.v, [8.1, 9, 10], rtol=1e-13)  # condition 2 / (1 − γ) = 20, a few units each


def test_riverswim_is_the_one_of_the_paper():
    """Strehl and Littman (2008), Figure 3, with rewards divided by 10000 and averaged over the next state."""
    mdp = families.riverswim(rng(), 1, S=6, current=0.1, discount=0.9)[0]
    down, swim = mdp.P[:, 0], mdp.P[:, 1]
    assert (down == np.eye(6)[[0, 0, 1, 2, 3, 4]]).all()
    expected = np.zeros((6, 6))
    expected[0, :2] = 0.7, 0.3
    for s in range(1, 5):
        expected[s, s - 1 : s + 2] = 0.1, 0.6, 0.3
    expected[5, 4:] = 0.7, 0.3
    np.testing.assert_allclose(swim, expected, atol=1e-15)
    assert mdp.r[0].tolist() == [5e-4, 0]
    assert mdp.r[5].tolist() == [0, 0.3]


def test_a_grid_without_walls_or_slip_takes_the_shortest_way():
    """V*(s) = γ^(steps − 1) with the number of steps in the 1-norm, and 0 at the goal."""
    mdp = families.grid(rng(1), 20, rows=3, columns=4, walls=0.0, slip=0.0, discount=0.9)
    v = optimum(mdp).v
    goal = np.argmax((np.eye(12)[:, None] == mdp.P).all(axis=(2, 3)), axis=-1)
    i, j = np.divmod(np.arange(12), 4)
    steps = abs(i - i[goal][:, None]) + abs(j - j[goal][:, None])
    # A system of 12 equations with condition 2 / (1 − γ) = 20 errs by at most 12 · 20 · u < 1e-13 of values up to 1.
    np.testing.assert_allclose(v, np.where(steps > 0, 0.9 ** (steps - 1.0), 0), rtol=0, atol=1e-13)


def test_a_grid_never_enters_a_wall_and_never_leaves_its_goal():
    mdp = families.grid(rng(2), 200, rows=3, columns=3, walls=0.3)
    stays = (np.eye(9)[:, None] == mdp.P).all(axis=(2, 3))  # walls, the goal, and cells that are walled in
    entered = (mdp.P * ~np.eye(9, dtype=bool)[:, None]).sum(axis=(1, 2)) > 0
    goal_like = stays & entered
    assert (goal_like.sum(axis=-1) <= 1).all()  # what is entered and not left is the goal, and only it
    assert goal_like.sum() > 150
    assert (mdp.r[stays] == 0).all()
    assert (stays & ~entered).sum() > 200


def test_slip_goes_to_either_side():
    mdp = families.grid(rng(), 1, rows=3, columns=3, walls=0.0, slip=0.2, discount=0.5)[0]
    goal = int(np.argmax((np.eye(9)[:, None] == mdp.P).all(axis=(1, 2))))
    assert goal != 4
    north = mdp.P[4, 0]
    np.testing.assert_allclose(north[[1, 3, 5]], [0.8, 0.1, 0.1], atol=1e-15)


def test_near_tied_bandits_differ_by_at_most_two_thousandths():
    r = families.bandits(rng(), 100, K=4, rewards="near-ties").r
    assert (np.ptp(r, axis=-1) <= 2e-3).all()
    assert (np.ptp(r, axis=-1) > 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: families.garnet(rng(), 1, S=3, b=4), "S=3 states has b=4 successors; expected 1 <= b <= S"),
        (lambda: families.garnet(rng(), 1, S=0), "S is 0; expected at least 1"),
        (lambda: families.grid(rng(), 1, rows=-1), "rows is -1; expected at least 1"),
        (lambda: families.bandits(rng(), 1, rewards="ties"), "rewards is 'ties'; expected 'uniform', 'binary'"),
    ],
)
def test_a_wrong_option_is_named(make, message):
    with pytest.raises(InstanceError, match=message.replace("(", r"\(")):
        make()
