"""What the engine cannot know of worst kernels of signed balls: two states by hand."""

from __future__ import annotations

from mdplab.arrays import rational, rational_number
from mdplab.models import DiscountedMDP
from theorems import kumar2023

HALF = rational([["1/2", "1/2"], ["1/2", "1/2"]])


def chain() -> DiscountedMDP:
    """Two states, one action, each successor with probability 1/2, γ = 1/2."""
    return DiscountedMDP(HALF[:, None, :], rational([[1], [0]]), rational_number("1/2"), rational(["1/2", "1/2"]))


def test_visits_under_a_perturbed_kernel_by_hand():
    # β = 1/100 · (1 + r) = (2, 1)/100 and u = (1, −1): rows (48, 52)/100 and (49, 51)/100.
    π = rational([[1], [1]])
    (found,) = kumar2023.worst_visits(chain(), π, rational([1, 0]), rational_number("1/100"))
    # d = ρ + γ P'd: d_0 + d_1 = 2 and d_0 = 1/2 + (48 d_0 + 49 d_1)/200, so 201 d_0 = 198.
    assert found[kumar2023.d_worst][0] == rational_number("66/67")
    assert found[kumar2023.uβ] == rational_number("1/100")  # d_u = u, as P u = 0


def test_the_worst_kernel_takes_the_budget_from_the_better_state():
    # v = (1, 0), ω = 1/2, ‖v − ω‖ = 1/√2 and u = (1, −1)/√2; β = 1/2.
    π, v = rational([[1], [1]]), rational([1, 0])
    (found,) = kumar2023.worst_kernel(chain(), π, v, rational_number(1), HALF[:, None, :])
    assert all(x.contains(y) for x, y in zip(found[kumar2023.v_worst], v, strict=True))
    # The nominal kernel pays γ β ‖v − ω‖ / (1 − γ) = (1/2)(1/2)(1/√2) · 2 = 1 / 2√2 more in both states.
    for x, y in zip(found[kumar2023.v_other], v, strict=True):
        assert ((x - y) ** 2 - rational_number("1/8")).contains(0)
