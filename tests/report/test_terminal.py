from io import StringIO

import pytest
from rich.console import Console

from mdplab.report import terminal
from mdplab.theorem.replay import replay, save

NAMES = ("contraction", "performance_difference", "too_good", "short_gradient")


@pytest.fixture
def results(theorems, verdict):
    return [(theorems[name], verdict(name), 1.25) for name in NAMES]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(results, width):
    for line in (terminal.header(width), *(terminal.row(*x, width) for x in results)):
        assert max(map(len, line.plain.split("\n"))) <= width


def test_columns_stay_aligned_under_their_head(results):
    head = terminal.header(200).plain
    end = head.index("time") + len("time")
    for x in results:
        line = terminal.row(*x, 200).plain
        assert line[:end].endswith("1.2 s")
        assert line[end:].strip() == x[0].title.rstrip(".")


def test_narrow_terminals_have_the_words_in_a_second_line(results):
    lines = terminal.row(*results[0], 80).plain.split("\n")
    assert len(lines) == 2
    assert lines[1].startswith("    The first step")


def test_piped_lines_are_whole_and_without_colour_codes(results):
    out = StringIO()
    console = Console(file=out, soft_wrap=True, highlight=False)
    for x in results:
        console.print(terminal.row(*x, None))
    text = out.getvalue()
    assert "\x1b" not in text
    assert len(text.splitlines()) == len(results)
    assert all(x[0].title.rstrip(".") in text for x in results)


def test_a_mark_says_whether_all_is_as_declared(results):
    marks = {x[0].measure.__name__: terminal.row(*x).plain[0] for x in results}
    assert marks["performance_difference"] == marks["too_good"] == "✓"
    for _, v, _ in results:
        assert (marks[v.id.partition(".")[2]] == "✓") == v.as_declared


def test_details_print_statement_counterexamples_and_near_misses(theorems, verdict):
    text = terminal.details(theorems["too_good"], verdict("too_good"))
    assert "V*(μ) − V^(πₜ)(μ) ≤ ─" in text
    assert "smallest counterexample" in text
    assert "bandit with" in text
    assert "✓ half of it (wrong statement): named instance rare best arm, 0.666667 against 1/2" in text
    assert "\x1b" not in text


def test_show_prints_everything_that_the_file_says(theorems):
    text = terminal.show(theorems["sublinear"])
    for part in (
        "sample_theorems.sublinear",
        "reaches optimal values",
        "discount factor",
        "every state has positive start probability",
        "any reason gives\n  1/(1 − γ)",
        "mei2020softmax, Theorem 4",
        "running minimum",
        "level 2",
        "a thousandth of 1 / (c t)",
    ):
        assert part in text, part
    assert max(map(len, text.splitlines())) <= 80


def test_a_replayed_counterexample_shows_the_same_numbers(theorems, verdict, tmp_path):
    file, *_ = save(tmp_path, theorems["too_good"], verdict("too_good"))
    text = terminal.replayed(replay(file))
    assert "refuted at t = " in text
    assert verdict("too_good").smallest.larger in text


def test_the_summary_counts(results):
    first, second = terminal.summary(results).splitlines()
    assert first.startswith("4 theorems: ")
    assert "1 refuted as declared" in first
    assert "near misses refuted" in second
    assert terminal.summary([]) == "no theorem was checked"
