"""The sample theorems and their verdicts, each checked once."""

from functools import cache
from pathlib import Path

import pytest

from mdplab.theorem import check
from mdplab.theorem.collect import theorems_in


@pytest.fixture(scope="session")
def theorems():
    return {x.measure.__name__: x for x in theorems_in(Path(__file__).with_name("sample_theorems.py"))}


@pytest.fixture(scope="session")
def verdict(theorems):
    return cache(lambda name: check(theorems[name], profile="quick"))
