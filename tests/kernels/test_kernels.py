"""Which body of a kernel runs is decided by the data, and a first small answer compiles nothing."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import array_api_strict
import numpy as np
import pytest

from mdplab import kernels
from mdplab.errors import MdplabError, MissingExtra
from mdplab.kernels.softmax_pg import Ascent, advance, seconds_per_update
from mdplab.models import DiscountedMDP


def batch(B: int = 3, S: int = 4, A: int = 2) -> DiscountedMDP:
    rng = np.random.default_rng(0)
    return DiscountedMDP(rng.dirichlet(np.ones(S), (B, S, A)), rng.random((B, S, A)), 0.5)


def name_of_body(ascent: Ascent, steps: int) -> str:
    body = advance.body(ascent, ascent.mdp.r * 0, 0, steps, None)
    return f"{body.__module__}:{body.__name__}"


DEFINITION, LANES = "mdplab.kernels.softmax_pg:advance", "mdplab.kernels.softmax_pg_lanes:advance"


def test_small_work_runs_the_definition_and_large_work_the_lanes() -> None:
    ascent = Ascent(batch(), 0.1)
    enough = int(kernels.WORTH_COMPILING / seconds_per_update(ascent)) + 1
    assert name_of_body(ascent, enough - 2) == DEFINITION
    assert name_of_body(ascent, enough + 1) == LANES


def test_many_small_portions_are_large_work() -> None:
    ascent = Ascent(batch(), 0.1)
    body = advance.body(ascent, ascent.mdp.r * 0, 10**6, 10**6 + 1, None)
    assert body.__module__.endswith("_lanes")


def test_exact_and_foreign_arrays_run_the_definition_however_large_the_work() -> None:
    mdp = batch()
    assert name_of_body(Ascent(mdp.exact(), 0.1), 10**9) == DEFINITION
    assert name_of_body(Ascent(mdp.map(lambda x: array_api_strict.asarray(x)), 0.1), 10**9) == DEFINITION
    one = Ascent(mdp, mdp.exact().r[0, 0, 0])  # float64 model, rational step size
    assert name_of_body(one, 10**9) == DEFINITION


def test_arrays_on_a_gpu_run_the_cuda_body_however_small_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba_cuda")
    monkeypatch.setattr(kernels, "on_gpu", lambda x: True)
    monkeypatch.setattr(kernels, "require_cuda", lambda: None)
    assert name_of_body(Ascent(batch(), 0.1), 1) == "mdplab.kernels.softmax_pg_cuda:advance"


def test_without_numba_the_definition_does_all_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "has_numba", lambda: False)
    assert name_of_body(Ascent(batch(), 0.1), 10**9) == DEFINITION


def test_a_small_run_imports_no_numba() -> None:
    """Compiling and loading are what a first answer would wait for; how long is the machine's affair."""
    code = """
import sys
import numpy as np
from mdplab.models import DiscountedMDP
from mdplab.solvers.checkpoints import geometric
from mdplab.solvers.softmax_pg import softmax_pg
mdp = DiscountedMDP(np.full((3, 2, 3), 1 / 3), np.arange(6.0).reshape(3, 2), 0.9)
assert [i.k for i in softmax_pg(mdp, at=geometric(100))][-1] == 100
assert "numba" not in sys.modules and "llvmlite" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def fresh_answer() -> object:
    kernels._no_cuda.cache_clear()
    yield None
    kernels._no_cuda.cache_clear()


@pytest.mark.usefixtures("fresh_answer")
def test_cuda_without_cupy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "find_spec", lambda name: None if name == "cupy" else object())
    assert not kernels.cuda_available()
    with pytest.raises(MissingExtra, match=r"^device cuda needs .* not installed: cupy; pip install 'mdplab\[gpu\]'"):
        kernels.require_cuda()


@pytest.mark.usefixtures("fresh_answer")
def test_cuda_without_a_device_says_so_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))
    monkeypatch.setattr(kernels, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(MdplabError, match=r"^device cuda was asked for, but .* finds no CUDA device") as caught:
        kernels.require_cuda()
    assert "\n" not in str(caught.value)
