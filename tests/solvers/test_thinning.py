"""Seeing only some of the iterates."""

from dataclasses import dataclass
from itertools import count, islice

import pytest

from mdplab.errors import MdplabError
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True)
class Numbered:
    k: int


def test_without_numbers_every_iterate_is_seen():
    assert [x.k for x in islice(thinned(map(Numbered, count()), None), 5)] == [0, 1, 2, 3, 4]


def test_only_the_numbers_asked_for_are_seen_and_none_is_computed_after_the_last():
    computed = []

    def iterates():
        for k in count():
            computed.append(k)
            yield Numbered(k)

    assert [x.k for x in thinned(iterates(), [0, 2, 7])] == [0, 2, 7]
    assert computed == list(range(8))


def test_it_ends_where_the_iterates_end():
    assert [x.k for x in thinned(map(Numbered, range(4)), count(1, 2))] == [1, 3]


@pytest.mark.parametrize("at", [[-1], [3, 3], [0, 5, 4]])
def test_numbers_that_do_not_increase_are_refused(at):
    with pytest.raises(MdplabError, match=f"at holds {at[-1]} after"):
        list(thinned(map(Numbered, range(9)), at))
