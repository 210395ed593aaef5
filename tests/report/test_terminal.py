import json
from io import StringIO

import pytest
from rich.console import Console

from mdplab.report import terminal
from mdplab.theorem.check import PROFILES
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


def test_show_says_how_a_random_claim_is_decided(theorems):
    listed, raced, probable = (terminal.show(theorems[x]) for x in ("cut_return", "average", "deviation"))
    assert "on every outcome\n  Σ_(k < h)γ^krₖ  from 0 to 1/(1 − γ)" in listed
    assert "over all outcomes of the draw, exactly and in float64" in listed
    assert "level 2 at most: no counterexample among instances all of whose" in listed
    assert "by races of at most 8,192 replicates of an instance" in raced
    assert "level 1 at most: sampled, decided by a race with error probability" in raced
    assert "as a bound with probability 1 − 2δ, for all iterates at once" in probable
    assert max(len(line) for text in (listed, raced, probable) for line in text.splitlines()) <= 80


def test_details_of_an_undecided_theorem_say_how_near_it_is_and_what_was_drawn(theorems, verdict):
    found = verdict("unbiased")
    text = terminal.details(theorems["unbiased"], found)
    assert "undecided: 7 races are open; on bandits:K=2,rewards=uniform #0 the mean of larger − smaller lies in" in text
    assert f"8 races on {found.replicates:,} replicates; 7 are open, which more replicates may decide: --full" in text
    assert "✓ a tenth less (wrong statement)" in text
    assert "replicates of seed 0" in text.splitlines()[-1]


def test_a_race_is_replayed_with_its_replicates(theorems, verdict, tmp_path):
    found = verdict("too_small")
    file, *_ = save(tmp_path, theorems["too_small"], found)
    last = terminal.replayed(replay(file)).splitlines()[-1]
    means = f"means of {found.smallest.draws['replicates']} replicates of seed 0"
    assert last == f"refuted at n = {found.smallest.k}: {found.smallest.smaller} > {found.smallest.larger}, {means}"


def test_a_race_that_no_longer_refutes_says_so(theorems, verdict, tmp_path):
    file, *_ = save(tmp_path, theorems["too_small"], verdict("too_small"))
    data = json.loads(file.read_text())
    data["draws"]["replicates"] = 1
    file.write_text(json.dumps(data))
    last = terminal.replayed(replay(file)).splitlines()[-1]
    assert last == "not refuted by the race on the same replicates, means of 1 replicate of seed 0"


def test_the_summary_counts_races(theorems, verdict):
    lines = terminal.summary([(theorems[x], verdict(x), 1.0) for x in ("cut_return", "average")])
    assert f"{verdict('average').comparisons['races']} by races" in lines


def test_the_budget_names_replicates_where_something_may_be_raced(theorems):
    full = PROFILES["full"]
    plain = terminal.budget([theorems["contraction"]], "full")
    assert plain.startswith(f"full: families of {full.batch:,} models, {full.draws:,} draws")
    assert "replicates" not in plain
    text = terminal.budget([theorems["contraction"], theorems["average"]], "full")
    most = 2**13 * full.replicates
    assert text == f"{plain}; {full.races} models of each family raced, on up to {most:,.0f} replicates each"
