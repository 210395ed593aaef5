"""A draw depends on its own seed, instance, replicate, round, sample and purpose only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdplab.errors import MdplabError
from mdplab.sampling import Draws

MANY = Draws(seed=3, replicate=np.arange(40), instance=np.arange(5)[:, None], round=2, sample=7)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_a_draw_is_the_same_alone_and_in_company(count: int) -> None:
    together = MANY.words("noise", count)
    assert together.shape == (5, 40, count)
    for i, k in [(0, 0), (4, 39), (2, 17)]:
        alone = replace(MANY, replicate=k, instance=i)
        assert (alone.words("noise", count) == together[i, k]).all()
        assert (alone.words("noise", 20)[:count] == together[i, k]).all()


def test_large_work_is_compiled_and_gives_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    plain = MANY.words("noise", 9)
    monkeypatch.setattr("mdplab.kernels.WORTH_COMPILING", 0.0)
    for threads in (1, 2, 3):
        monkeypatch.setattr("mdplab.kernels.threads", lambda threads=threads: threads)
        assert (MANY.words("noise", 9) == plain).all()


@pytest.mark.parametrize(
    "other",
    [{"seed": 4}, {"replicate": np.arange(1, 41)}, {"instance": 9}, {"round": 3}, {"sample": 8}],
    ids=lambda change: next(iter(change)),
)
def test_each_part_of_its_name_makes_another_draw(other: dict) -> None:
    one, two = MANY.words("noise", 4), replace(MANY, **other).words("noise", 4)
    assert not (one == two).any()
    assert not (one == MANY.words("other", 4)).any()


def test_samples_are_numbered_within_the_replicate() -> None:
    """Four times two samples are the eight that one call makes."""
    draws = Draws(replicate=np.arange(3))
    twice, once = draws.samples(4).samples(2), draws.samples(8)
    assert (twice.words("noise", 2).reshape(3, 8, 2) == once.words("noise", 2)).all()


def test_uniforms_and_normals_have_their_moments() -> None:
    """Means of n draws are within six standard deviations."""
    n = 40_000
    u, z = (f("noise", n) for f in (Draws(1).uniforms, Draws(1).normals))
    assert abs(u.mean() - 1 / 2) <= 6 / np.sqrt(12 * n)
    assert abs(z.mean()) <= 6 / np.sqrt(n)
    assert abs((z**2).mean() - 1) <= 6 * np.sqrt(2 / n)
    assert (u < 1).all()


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 2**64}, {"round": -1}, {"round": 2**32}])
def test_numbers_beyond_their_words_are_refused(wrong: dict) -> None:
    with pytest.raises(MdplabError, match="expected an integer in"):
        Draws(**wrong)


@pytest.mark.parametrize("wrong", [{"sample": 2**32}, {"sample": -1}, {"replicate": [0, -3]}, {"instance": 2**64}])
def test_numbers_that_would_be_taken_for_others_are_refused(wrong: dict) -> None:
    with pytest.raises(MdplabError, match=r"expected integers in \[0, 2"):
        Draws(**wrong).uniforms("noise", 1)


@pytest.mark.parametrize("purpose", ["", "something"])
def test_a_purpose_has_one_to_eight_letters(purpose: str) -> None:
    with pytest.raises(MdplabError, match="one to eight letters"):
        Draws().words(purpose, 1)


CROWD = Draws(replicate=np.broadcast_to(0, 10**12))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: CROWD.uniforms("noise", 4),
        lambda: CROWD.counters(),
        lambda: CROWD.table(2, 3),
        lambda: Draws().samples(10**12),
    ],
)
def test_more_draws_than_fit_into_memory_are_refused_before_work_starts(ask) -> None:
    with pytest.raises(MdplabError, match=r"bytes are needed for .* are available; draw fewer replicates at a time"):
        ask()


@pytest.mark.parametrize("count", [0, -1])
def test_a_batch_without_samples_is_refused(count: int) -> None:
    with pytest.raises(MdplabError, match=f"{count} samples of each draw were asked for; expected at least 1"):
        Draws().samples(count)
