"""What the engine cannot know about theorems/hong2024.py: the sign reversal and the twins by hand."""

from mdplab.arrays import rational
from mdplab.exact import history_sum, observed_law
from mdplab.exact.confounded import uniform_policy
from mdplab.instances import blind_twins, sign_reversal, unconfounded
from theorems import hong2024


def number(text):
    return rational(text)[()]


def test_bridges_on_the_sign_reversal_by_hand():
    """T = 1: V = 1/2; by each logit of action 1 the gradient is 1/40.  T = 2 adds the mean reward in S_2."""
    (one,) = hong2024.identify(sign_reversal(1), uniform_policy(sign_reversal(1)))
    assert one[hong2024.bridged] == number("1/2")
    assert (one[hong2024.bridged_slope] == rational([[["-1/40", "1/40"]] * 2])).all()
    # From state 0 one stays with 17/20 on average, from state 1 one leaves with 3/10: Pr(S_2 = 0) = 23/40.
    (two,) = hong2024.identify(sign_reversal(2), uniform_policy(sign_reversal(2)))
    stay = (number("17/20") + number("3/10")) / 2
    assert (
        two[hong2024.bridged] == number("1/2") + stay * number("9/10") + (1 - stay) * number("1/10") == number("53/50")
    )


def test_the_naive_gradient_is_nearly_minus_twice_the_true_one():
    """T = 1: naive (−0.049866, …) against (0.025, …): an inner product of −1.9946 squares."""
    (binding,) = hong2024.sign_is_reversed(sign_reversal(1), uniform_policy(sign_reversal(1)))
    ratio = binding[hong2024.agreement] / binding[hong2024.squared]
    assert number("-1995/1000") < ratio < number("-1994/1000")


def test_the_twins_have_equal_data_and_values_a_quarter_apart():
    (binding,) = hong2024.rank(*blind_twins())
    assert binding[hong2024.values_apart] == number("1/4")
    assert binding[hong2024.laws_apart] == 0


def test_one_step_of_gradient_domination_is_an_equality():
    """T = 1: no history to mismatch; V* − V = 3/5 − 1/2 = the sum of gains."""
    (binding,) = hong2024.gradient_domination(sign_reversal(1), uniform_policy(sign_reversal(1)))
    assert binding[hong2024.mismatch] == 1
    assert binding[hong2024.loss] == binding[hong2024.ascent] == number("1/10")


def test_without_confounding_the_naive_value_is_right_by_hand():
    """One step, states and actions alike likely: the mean of 4/5, 1, 0 and 1/5."""
    model = unconfounded(1)
    (b,) = hong2024.naive_bias(model, uniform_policy(model))
    assert b[hong2024.naive] == b[hong2024.value] == number("1/2")


def test_the_bridge_of_a_reward_by_hand():
    """o = 0, a = 1: E b = (1 · 7/10, 1/5 · 3/10), so b = (59/50, −21/50); R 1{O = 0} − b is −59/50, −9/50, 21/50."""
    (law,) = observed_law(sign_reversal(1))
    b = hong2024.reward_bridges(law)
    assert (b[1, :, 0] == rational(["59/50", "-21/50"])).all()
    narrow, wide = hong2024.widths(b)
    assert narrow[1, 0] == wide[1, 0] == number("8/5")


def test_frequencies_of_one_trajectory_by_hand():
    """Pr(o_0, a, o) are 51, 23, 15 and 11 of 200, each twice: 1 − Σ p² is 1 − 2 (51² + 23² + 15² + 11²)/200²."""
    first, second, third = hong2024.variance_of_counts(sign_reversal(1))
    expected = 1 - number(2 * (51**2 + 23**2 + 15**2 + 11**2)) / 200**2
    assert first[hong2024.spread] == expected
    assert second[hong2024.spread] == expected / 2
    assert third[hong2024.spread] == expected / 3


def test_min_max_weighs_equations_and_the_plain_ridge_does_not():
    """One step, n = 100: 1/2 is the truth; both ridges pull the value of the uniform policy down, the weighted more."""
    laws, π = observed_law(sign_reversal(1)), uniform_policy(sign_reversal(1))
    plain, weighted = (
        float(history_sum(sign_reversal(1), f(laws, 100, 1), π)) for f in (hong2024.unweighed, hong2024.weighed)
    )
    assert weighted < plain < 0.5


def test_a_clear_view_needs_a_thousand_data_and_the_sign_reversal_64_thousand():
    """n_0 = 4 L · 4 τ² / p: p = .205 and τ² = 2.55 on the one, p = .13 and τ² = 86 on the other, L = log 440."""
    assert 1200 < hong2024.data_needed(hong2024.clear_view()["model"], 0.1) < 1220
    assert 64_000 < hong2024.data_needed(sign_reversal(1), 0.1) < 65_000
