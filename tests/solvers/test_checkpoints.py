"""Checkpoints: increasing iteration numbers, dense at first, then geometric."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from mdplab.errors import MdplabError
from mdplab.solvers.checkpoints import every, geometric


@pytest.mark.parametrize("last", [0, 1, 2, 5, 9, 10, 11, 99, 100, 12345, 10**6])
@pytest.mark.parametrize("per_decade", [1, 3, 20, 100])
def test_geometric_checkpoints_go_from_zero_to_last_and_leave_no_wide_gap(last: int, per_decade: int) -> None:
    at = list(geometric(last, per_decade))
    assert at[0] == 0
    assert at[-1] == last
    for k, n in pairwise(at):
        # The next power lies a factor 10^(1 / per_decade) on; rounding adds at most one half at either end.
        assert k < n <= max(k + 1, (k + 0.5) * 10 ** (1 / per_decade) + 0.5)
    assert len(at) <= 2 + per_decade * len(str(last))


def test_small_iterates_are_all_there() -> None:
    assert list(islice(geometric(10**6), 12)) == list(range(12))
    assert list(islice(every(), 12)) == list(range(12))


@pytest.mark.parametrize(("last", "per_decade"), [(-1, 20), (10, 0)])
def test_geometric_refuses_what_is_not_a_range(last: int, per_decade: int) -> None:
    with pytest.raises(MdplabError, match=rf"geometric\({last}, per_decade={per_decade}\); expected last >= 0"):
        next(geometric(last, per_decade))
