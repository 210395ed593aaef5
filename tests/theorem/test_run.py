"""Many theorems: the same verdicts from one worker and from two, and nothing lost when a run is cut short."""

import json
import multiprocessing

import pytest

from mdplab.arrays import log, rational, rational_number
from mdplab.errors import InstanceError, TheoremError
from mdplab.theorem.collect import shipped, theorems_in
from mdplab.theorem.inputs import from_json, to_json
from mdplab.theorem.replay import record, replay, save
from mdplab.theorem.run import Journal, Settings, verify
from mdplab.theorem.verdict import Verdict

QUICK = Settings("quick", seed=3)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MDPLAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def two():
    return shipped()["puterman1994"][:2]


def test_the_number_of_workers_changes_no_byte(two):
    by_workers = [
        {x.id: json.dumps(verdict.to_json()) for x, verdict, _ in verify(two, QUICK, workers=n)} for n in (1, 2)
    ]
    assert by_workers[0] == by_workers[1]


def test_an_interrupted_run_keeps_its_verdicts_and_goes_on_with_the_rest(two, monkeypatch):
    stream = verify(two, QUICK, workers=1)
    first, verdict, _ = next(stream)
    stream.close()  # as Ctrl-C does
    assert set(Journal(two, QUICK).kept()) == {first.id}

    checked = []
    monkeypatch.setattr("mdplab.theorem.run.check", _noting(checked))
    again = [(x.id, v) for x, v, _ in verify(two, QUICK, workers=1)]
    assert again[0] == (first.id, verdict)
    assert checked == [two[1].id]
    assert not Journal(two, QUICK).kept()  # a whole run leaves nothing behind


def _noting(checked):
    from mdplab.theorem.check import check

    def noted(theorem, **options):
        checked.append(theorem.id)
        return check(theorem, **options)

    return noted


def test_other_settings_do_not_find_the_verdicts(two):
    next(verify(two, QUICK, workers=1))
    assert not Journal(two, Settings("quick", seed=4)).kept()


def test_a_verdict_survives_json(two):
    _, verdict, _ = next(verify(two, QUICK, workers=1))
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_inputs_survive_json_exactly(two):
    inputs = two[0].instance(next(iter(two[0].named.values()))) if two[0].named else None
    assert inputs is not None
    again = {name: from_json(x) for name, x in json.loads(json.dumps(to_json(inputs))).items()}
    assert to_json(again) == to_json(inputs)
    assert (again["mdp"].P == inputs["mdp"].P).all()


def test_balls_are_read_again():
    """Logits of a named instance may be logarithms, whose text is a middle and a radius."""
    saved = {"θ": log(rational(["1/3", 2])), "part": rational_number(1)}
    again = {name: from_json(x) for name, x in json.loads(json.dumps(to_json(saved))).items()}
    assert again["part"] == saved["part"]
    assert all(read.contains(x) for read, x in zip(again["θ"], saved["θ"], strict=True))


@pytest.mark.parametrize("wrong", ["[x", "one", ["1/3", None], [["1"], ["1", "2"]]])
def test_what_is_no_number_is_refused_in_one_sentence(wrong):
    with pytest.raises(InstanceError, match="expected numbers or texts such as '1/3'"):
        from_json(wrong)


def test_a_saved_counterexample_is_judged_again(two, tmp_path):
    theorem = next(x for x in shipped()["puterman1994"] if x.near_misses)
    _, verdict, _ = next(verify([theorem], QUICK, workers=1))
    miss = next(m for m in verdict.near_misses if m.kind == "statement")
    file = tmp_path / "miss.json"
    file.write_text(json.dumps(record(theorem, miss.refutation, miss.name)))
    again = replay(file)
    assert again.refutes
    assert again.result.failure[0] == miss.refutation.k
    data = json.loads(file.read_text()) | {"near_miss": None, "claim": ""}
    file.write_text(json.dumps(data))
    assert not replay(file).refutes  # the theorem itself holds there
    assert save(tmp_path, theorem, verdict) == []  # nothing to save for a theorem that stands


BROKEN = '''
"""One theorem that cannot be measured, and one that takes for ever."""
import time

from mdplab.instances import discounted_mdps, one_state_loop
from mdplab.theorem import Quantity, as_printed, for_all, theorem

x = Quantity("x", "a number")
with as_printed():
    bound, miss = x <= 1, x <= -1
options = {"cite": "me", "at": "here", "judge": for_all(), "on": {"mdp": discounted_mdps()},
           "named": [one_state_loop], "near_misses": {"less": miss}}


@theorem(bound, **options)
def endless(mdp):
    """Takes for ever."""
    time.sleep(600)
    yield {x: 0}


@theorem(bound, **options)
def broken(mdp):
    """Yields no number."""
    yield {x: float("nan")}
'''


def test_an_error_in_one_theorem_ends_the_other_workers(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(BROKEN)
    with pytest.raises(TheoremError, match=r"mine\.broken: x is not a number"):
        list(verify(theorems_in(file), QUICK, workers=2))
    for process in multiprocessing.active_children():
        process.join(30)
        assert not process.is_alive()
