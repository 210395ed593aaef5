"""The command line as a user meets it: verdicts, exit status, one clear sentence for bad input."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mdplab.cli import main

ROOT = Path(__file__).resolve().parents[1]
OK = '{"discount": "9/10", "P": [[["1/3", "2/3"], [1, 0]], [[0, 1]]], "r": [[1, "1/2"], [0]]}'


@pytest.fixture
def mdplab(tmp_path, monkeypatch, capsys):
    """Run the command line in an empty folder; returns what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MDPLAB_CACHE", str(tmp_path / ".cache"))

    def run(*words, check=0):
        monkeypatch.setattr(sys, "argv", ["mdplab", *map(str, words)])
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code
        printed = capsys.readouterr()
        assert status == check, printed.out + printed.err
        return Printed(printed.out, printed.err)

    return run


class Printed(NamedTuple):
    stdout: str
    stderr: str


def test_the_installed_command_answers():
    done = subprocess.run([sys.executable, "-m", "mdplab", "version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mdplab ")


def test_the_file_of_the_tutorial_is_verified_from_an_empty_folder(mdplab, tmp_path):
    shutil.copy(ROOT / "docs/tutorial/my_theorem.py", tmp_path)
    done = mdplab("verify", "my_theorem.py", "--quick", "--json", "verdicts.json")
    assert "1 theorem" in done.stdout
    (verdict,) = json.loads((tmp_path / "verdicts.json").read_text())
    assert (verdict["id"], verdict["word"]) == ("my_theorem.reward_perturbation", "stands")
    assert all(miss["refuted"] for miss in verdict["near_misses"])


def test_the_random_theorem_of_the_tutorial_is_raced_shown_and_drawn(mdplab, tmp_path):
    shutil.copy(ROOT / "docs/tutorial/my_random_theorem.py", tmp_path)
    done = mdplab("verify", "my_random_theorem.py", "--quick", "--workers", "1", "--json", "verdicts.json")
    assert "by races" in done.stdout
    (verdict,) = json.loads((tmp_path / "verdicts.json").read_text())
    assert (verdict["word"], verdict["level"]) == ("stands", 1)
    assert verdict["replicates"] > verdict["comparisons"]["races"] > 0
    assert all(miss["refutation"]["draws"]["replicates"] > 1 for miss in verdict["near_misses"])
    assert "as a bound in expectation at every iterate" in mdplab("show", "my_random_theorem.py").stdout
    mdplab("plot", "my_random_theorem.py", "-o", "random.svg")
    assert {"low", "high", "error"} <= set((tmp_path / "random.csv").read_text().splitlines()[0].split(","))


def test_a_raced_refutation_is_replayed_with_its_means(mdplab, tmp_path):
    source = (ROOT / "docs/tutorial/my_random_theorem.py").read_text()
    (tmp_path / "wrong.py").write_text(source.replace("    bound,\n", "    too_fast,\n"))
    done = mdplab("verify", "wrong.py", "--quick", "--workers", "1", check=1)
    assert "means of" in done.stdout
    command = next(line for line in done.stdout.splitlines() if "mdplab replay" in line)
    again = mdplab("replay", command.split()[-1], check=1)
    assert "refuted at n = " in again.stdout
    assert "replicates of seed 0" in again.stdout


def test_a_false_theorem_ends_with_status_1_and_a_replay_that_refutes_it_again(mdplab, tmp_path):
    source = (ROOT / "docs/tutorial/my_theorem.py").read_text()
    (tmp_path / "wrong.py").write_text(source.replace("    bound,\n", "    without_the_horizon,\n"))
    done = mdplab("verify", "wrong.py", "--quick", check=1)
    assert "refuted" in done.stdout
    command = next(line for line in done.stdout.splitlines() if "mdplab replay" in line)
    again = mdplab("replay", command.split()[-1], check=1)
    assert "wrong.reward_perturbation" in again.stdout


def test_a_paper_is_verified_on_an_environment_and_without_a_start_the_unmet_assumption_is_named(mdplab):
    lake = ("--on", "gym:FrozenLake-v1", "--discount", "0.9")
    mdplab("verify", "mei2020.thm4", *lake, "--start", "uniform")
    done = mdplab("verify", "mei2020.thm4", *lake, check=2)
    assert "every state has positive start probability" in done.stderr
    assert "state 1 has start probability 0" in done.stderr


def test_a_model_of_another_class_is_refused_in_one_sentence_that_says_which_class_is_wanted(mdplab):
    done = mdplab("verify", "moskovitz2023.random_models", "--on", "torn", check=2)
    why = "it is about models of class ConstrainedMDP, and this is one of class MultiObjectiveMDP"
    assert done.stderr == f"mdplab: moskovitz2023.random_models does not apply to torn: {why}\n"
    assert why in mdplab("verify", "moskovitz2023", "--on", "torn", check=2).stdout


@pytest.mark.parametrize(
    ("id", "on", "why"),
    [
        (
            "ho2021.linf_exact",
            "robust-garnet",
            "it is about sets of kernels of class LInfBall or Box, and this is one of class L1Ball",
        ),
        (
            "ho2021.ppi_step",
            "two-kernels",
            "it is about rectangular sets of kernels, and this is one of class FiniteSet",
        ),
        ("cmdp.two_policies", "two-constraints", "it is about models with one constraint, and this one has 2"),
        ("klein2024.sgd_rate", "lock", "it is about models of one epoch, and this one has 4"),
    ],
)
def test_a_model_of_the_class_that_a_theorem_is_not_about_is_refused_in_one_sentence(mdplab, id, on, why):
    assert mdplab("verify", id, "--on", on, check=2).stderr == f"mdplab: {id} does not apply to {on}: {why}\n"


CONFOUNDED = """{{"model": "confounded", "P": [[[0.8, 0.2], [0.9, 0.1]], [[0.2, 0.8], [0.4, 0.6]]],
    "E": [[0.7, 0.3], [0.3, 0.7]], "proxy": {proxy}, "r": [[0.8, 1], [0, 0.2]], "behaviour": {behaviour}, "horizon": 1,
    "start": [0.5, 0.5]}}"""
SEEING, UNSEEING = "[[0.8, 0.2], [0.2, 0.8]]", "[[0.5, 0.5], [0.5, 0.5]]"
NEVER = "[[1, 0], [1, 0]]"


@pytest.mark.parametrize(
    ("id", "proxy", "behaviour", "why"),
    [
        ("identify", SEEING, NEVER, "the behaviour policy never takes some action in some state; expected overlap"),
        ("naive_bias", SEEING, NEVER, "it is assumed that the behaviour policy takes every action in every state"),
        ("min_max", SEEING, NEVER, "it is assumed that every action is taken after every history"),
        ("plugin_rate", SEEING, NEVER, "the behaviour policy never takes some action in some state; expected overlap"),
        ("plugin_rate", UNSEEING, SEEING, "the proxy tells 1 of 2 hidden states apart after some history"),
        ("plugin_error", UNSEEING, SEEING, "the proxy tells 1 of 2 hidden states apart after some history"),
    ],
)
def test_data_without_overlap_and_blind_proxies_are_refused_in_one_sentence(
    mdplab, tmp_path, id, proxy, behaviour, why
):
    (tmp_path / "mine.json").write_text(CONFOUNDED.format(proxy=proxy, behaviour=behaviour))
    done = mdplab("verify", f"hong2024.{id}", "--on", "mine.json", check=2)
    assert why in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_identity_over_outcomes_that_are_too_many_is_undecided_and_says_so(mdplab):
    done = mdplab("verify", "hong2024.counts", "--on", "confounded:T=7", "--workers", 1, check=1)
    assert (
        "undecided: it is judged over all outcomes, of which no list is made here: there are more than" in done.stdout
    )


def test_a_model_that_fills_the_memory_ends_in_one_sentence(mdplab, monkeypatch):
    def full(*args, **options):
        raise MemoryError("Unable to allocate 224. GiB")

    monkeypatch.setattr("mdplab.instances.find_model", full)
    done = mdplab("solve", "garnet:S=100000", check=2)
    assert done.stderr.startswith(
        "mdplab: there is not enough memory (Unable to allocate 224. GiB); expected a smaller"
    )


def test_a_theorem_is_verified_on_a_file_of_ones_own(mdplab, tmp_path):
    (tmp_path / "mine.json").write_text(OK)
    done = mdplab("verify", "puterman1994.contraction", "--on", "mine.json")
    assert "stands" in done.stdout


EXPERIMENT = """
from pathlib import Path

import matplotlib.pyplot as plt
import xarray as xr

SWEEP = {"x": [1, 2, 3]}


def measure(x):
    log = Path(f"measured {x}")
    log.write_text(log.read_text() + "again" if log.exists() else "once")
    if x == 2 and log.read_text() == "once":
        raise KeyboardInterrupt
    return xr.Dataset({"y": x * x})


def figure(data):
    return plt.figure()
"""


def test_an_interrupted_experiment_measures_no_finished_cell_again(mdplab, tmp_path):
    (tmp_path / "mine.py").write_text(EXPERIMENT)
    stopped = mdplab("run", "mine.py", check=130).stderr
    assert "interrupted; 1 of 3 measured, 0 found on disk; the same command goes on" in stopped
    assert "2 of 3 measured, 1 found on disk" in mdplab("run", "mine.py").stdout
    assert "0 of 3 measured, 3 found on disk" in mdplab("run", "mine.py").stdout
    assert [(tmp_path / f"measured {x}").read_text() for x in (1, 2, 3)] == ["once", "onceagain", "once"]


def test_a_plot_comes_with_its_data(mdplab, tmp_path):
    mdplab("plot", "puterman1994.apriori_error", "--on", "gym:FrozenLake-v1", "--discount", "0.9", "-o", "lake.svg")
    assert sorted(p.suffix for p in tmp_path.glob("lake.*")) == [".csv", ".nc", ".svg"]
    assert "<svg" in (tmp_path / "lake.svg").read_text()


def test_a_solution_encloses_the_value_that_is_known(mdplab):
    found = json.loads(mdplab("solve", "gym:FrozenLake8x8-v1", "--discount", "0.99", "--json").stdout)
    low, high = found["value_at_start"]
    assert low <= 0.4146403617999 <= high + 1e-12  # printed in peers' documentation as 0.41464
    assert high - low < 1e-11


def test_an_exact_model_is_solved_exactly(mdplab, tmp_path):
    """In state 0 action 1 stays and pays 1/2 for ever: 1/2 / (1 − 9/10) = 5, more than 1 and a third chance to stay."""
    (tmp_path / "mine.json").write_text(OK)
    found = json.loads(mdplab("solve", "mine.json", "--json").stdout)
    assert (found["values"], found["value_at_start"], found["policy"]) == (["5", "0"], ["5/2", "5/2"], [1, 0])


@pytest.mark.parametrize("what", ["theorems", "papers", "solvers", "instances", "experiments"])
def test_lists_are_objects_for_programs_and_lines_for_people(mdplab, what):
    rows = json.loads(mdplab("list", what, "--json").stdout)
    assert rows
    assert len(mdplab("list", what).stdout.splitlines()) == len(rows)
    if what == "theorems":
        assert {"id", "paper", "status", "kind", "near_misses"} <= set(rows[0])


def test_a_theorem_is_shown_with_its_statement_and_its_source(mdplab):
    out = mdplab("show", "puterman1994.apriori_error").stdout
    assert "Puterman" in out
    assert "recalled" in out


NAN = '{"discount": 0.9, "P": [[[1]]], "r": [[NaN]]}'
SHAPE = '{"discount": 0.9, "P": [[[1]]], "r": [[1], [2]]}'
ROW = '{"discount": "9/10", "P": [[["1/2", "2/5"]], [[0, 1]]], "r": [[1], [0]]}'
ONE = '{"discount": 1, "P": [[[1]]], "r": [[1]]}'


@pytest.mark.parametrize(
    ("words", "text", "sentence"),
    [
        (("solve", "nowhere.json"), None, "nowhere.json: there is no such file"),
        (("solve", "bad.json"), ROW, "bad.json: P[0, 0] sums to 9/10; a distribution sums to 1"),
        (("solve", "bad.json"), NAN, "bad.json: r[0, 0] is nan; expected a finite number"),
        (("solve", "bad.json"), ONE, "bad.json: discount is 1; discounting needs 0 <= discount < 1"),
        (("solve", "bad.json"), SHAPE, "bad.json: r has 2 states and P has 1; expected as many"),
        (("verify", "puterman1994", "--on", "bad.json"), ROW, "bad.json: P[0, 0] sums to 9/10"),
        (("verify", "mei202"), None, "did you mean mei2020?"),
        (("verify", "puterman1994.contractoin"), None, "did you mean puterman1994.contraction?"),
        (("verify", "--quick", "--full"), None, "--quick and --full exclude each other"),
        (("verify", "--discount", "0.9"), None, "--discount and --start describe the model of --on"),
        (("verify", "--device", "tpu"), None, "--device is 'tpu'; expected cpu or cuda"),
        (("verify", "--on", "gym:FrozenLake-v1"), None, "has no discount of its own: add --discount"),
        (("list", "theorms"), None, "did you mean theorems?"),
        (("run", "nothing"), None, "nothing is not an experiment"),
        (("replay", "gone.json"), None, "gone.json does not exist; expected a saved counterexample"),
        (("show", "puterman1994"), None, "expected one id such as"),
        (("frobnicate",), None, "No such command"),
    ],
)
def test_bad_input_ends_in_one_clear_sentence_and_status_2(mdplab, tmp_path, words, text, sentence):
    if text is not None:
        (tmp_path / "bad.json").write_text(text)
    done = mdplab(*words, check=2)
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
