import pytest

from mdplab.report import words


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1.0, "1.000"),
        (1 - 1e-9, "0.999"),  # nearly attained is not attained
        (0.8538, "0.853"),
        (10**-1.3, "10^-1.3"),
        (1.2054, "1.205"),
        (1e3, "10^+3.0"),
        (0.0, "0"),
    ],
)
def test_a_ratio_is_never_rounded_up_to_one(x, text):
    assert words.ratio(x) == text


def test_numbers_get_as_many_digits_as_it_takes_to_tell_them_apart():
    assert words.told_apart("0.123456789", "0.123456788") == ("0.123456789", "0.123456788")
    assert words.told_apart("3.57812500000", "1/4") == ("3.57812", "1/4")
    assert words.comparison("10", "9", identity=False) == "10 > 9"
    assert words.comparison("10", "9", identity=True) == "10 ≠ 9"


def test_exact_texts_stay_while_they_are_short():
    assert words.number("5/7") == "5/7"
    assert words.number("123456789/987654321") == "0.125"
    assert words.number(3.0) == "3"


@pytest.mark.parametrize(("s", "text"), [(0.04, "0.0 s"), (12.3, "12 s"), (185, "3:05"), (3723, "1:02:03")])
def test_durations_read_as_clocks_do(s, text):
    assert words.duration(s) == text


def test_the_tally_tells_declared_refutations_from_others():
    found = words.tally([("stands", True)] * 3 + [("refuted", True), ("refuted", False), ("stands", False)])
    assert found == ["3 stand", "1 refuted as declared", "1 refuted", "1 stands, though declared refuted"]


def test_columns_say_what_the_verdict_says(theorems, verdict):
    assert words.tightness(theorems["performance_difference"], verdict("performance_difference")) == "="
    assert words.tightness(theorems["contraction"], verdict("contraction")) == "1.000"
    assert words.refuted_misses(verdict("contraction")) == "1/1"
    assert words.refuted_misses(verdict("in_parts")) == "-"
    assert words.tightness(theorems["attained"], verdict("attained")) == "-"


def test_letters_come_in_the_order_of_reading(theorems):
    assert [q.name for q in words.letters(theorems["contraction"])][-1] == r"\lVert v_1 - v_0 \rVert_\infty"


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("cut_return", "a bound in expectation", "all of whose outcomes were listed"),
        ("average", "a bound in expectation at every iterate", "decided by a race with error probability 1e-6"),
        ("deviation", "a bound with probability 1 − 2δ, for all iterates at once", "decided by a race"),
    ],
)
def test_random_claims_say_so_and_on_what_they_rest(theorems, verdict, name, kind, level):
    assert words.kind(theorems[name]) == kind
    assert level in words.level(theorems[name], verdict(name))


def test_ratios_of_sampled_means_are_marked(theorems, verdict):
    assert words.tightness(theorems["average"], verdict("average")).startswith("≈0.5")
    assert words.tightness(theorems["cut_return"], verdict("cut_return")) == "1.000"


def test_a_raced_refutation_says_on_how_many_replicates_it_rests(theorems, verdict):
    found = verdict("too_small").smallest
    assert words.replicates(found) == f"means of {found.draws['replicates']} replicates of seed 0"
    assert words.replicates(verdict("too_good").smallest) == ""
    assert "race" in words.level(theorems["too_small"], verdict("too_small"))
    (miss,) = verdict("deviation").near_misses
    numbers = words.falsehood(theorems["deviation"], miss.refutation.smaller, miss.refutation.larger, False)
    assert numbers.startswith("fails with frequency ")
    assert words.at(theorems["deviation"], miss.refutation.k) == ""  # all iterates at once
