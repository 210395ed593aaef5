"""What lists say of theorems whose evidence depends on whether outcomes can be listed."""

import pytest

from mdplab.report import listing


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("cut_return", "expectation", 2),
        ("average", "expectation", 1),
        ("unbiased", "expectation", 1),
        ("deviation", "probability", 1),
        ("contraction", "bound", 2),
        ("order", "rate", 1),
    ],
)
def test_kind_and_level_of_a_theorem(theorems, name, kind, level):
    assert listing.kind(theorems[name]) == kind
    assert listing.evidence(theorems[name]) == level
