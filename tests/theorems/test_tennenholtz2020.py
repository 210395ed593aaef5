"""What the engine cannot know about theorems/tennenholtz2020.py: three stages, and where it does not apply."""

from mdplab.arrays import rational_number
from mdplab.exact import history_value, one_step_back_value
from mdplab.exact.confounded import uniform_policy
from mdplab.instances import sign_reversal, two_witnesses
from theorems import tennenholtz2020


def test_three_stages_of_matrices():
    model = sign_reversal(3)
    π = uniform_policy(model)
    assert one_step_back_value(model, π) == history_value(model, π)
    (binding,) = tennenholtz2020.thm1_first_proxy(model, π)
    assert binding[tennenholtz2020.weighted_by_first] == binding[tennenholtz2020.V]


def test_matrices_need_as_many_observations_as_states():
    assert tennenholtz2020.all_invertible.met_by({"model": sign_reversal(2)})
    assert not tennenholtz2020.all_invertible.met_by({"model": two_witnesses(2)})


def test_two_stages_by_hand():
    """The uniform policy: 1/2 in the first step and 14/25 in the second, see the test of Hong et al. (2024)."""
    model = sign_reversal(2)
    (b,) = tennenholtz2020.thm1(model, uniform_policy(model))
    assert b[tennenholtz2020.weighted] == b[tennenholtz2020.V] == rational_number("53/50")
