"""What `mdplab solve` says of a model, for every class that has a name."""

import pytest

from mdplab.errors import MdplabError
from mdplab.instances import find_model
from mdplab.instances.find import EXAMPLES
from mdplab.report.solution import solve, text


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "two-kernels"])
def test_every_example_is_solved_between_bounds(name):
    found = solve(find_model(name))
    said = text(name, found)
    assert said.startswith(f"{name}: ")
    assert "optimal value at the start" in said
    assert not any(sign in said for sign in "[]{}'")  # numbers, not Python


def test_a_constrained_model_is_said_with_its_prices_and_a_random_policy():
    """The paradox: λ* = 1, at most 5 of 10; state 1 always takes the reward, so state 0 does 1 in 11 times."""
    lines = text("paradox", solve(find_model("paradox"))).splitlines()
    assert lines[0] == "paradox: 2 states, 2 actions, discount 9/10"
    assert "multipliers: (1)" in lines
    assert lines[-2].split() == ["0", "0", "1/11", "10/11"]


def test_models_with_times_show_the_first_one():
    said = text("walk", solve(find_model("walk")))
    assert "horizon 4" in said.splitlines()[0]
    assert "at time 0, the first of 4 times; --json has them all" in said
    assert "discount" not in said


def test_a_set_without_a_bellman_operator_is_an_error_in_one_sentence():
    with pytest.raises(MdplabError, match="FiniteSet is not rectangular") as error:
        solve(find_model("two-kernels"))
    assert "\n" not in str(error.value)
