"""Cassandra's format: the whole grammar by hand, round trips, and mistakes named with file and line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import is_exact, rational
from mdplab.errors import InstanceError
from mdplab.exact import belief_bounds
from mdplab.instances import find_model, from_pomdp, read_pomdp, strategies, tiger, to_pomdp, write_pomdp
from mdplab.instances.pomdp import emitting_pomdps
from mdplab.models import POMDP
from mdplab.report import solution

DATA = Path(__file__).parent / "data"
NAMES = ("P", "Z", "r", "discount", "start")
PREAMBLE = "discount: 0.5\nvalues: reward\nstates: a b\nactions: go stay\nobservations: 2\n"
REST = "T: * identity\nO: * uniform\n"


def same(x, y):
    return all(np.array_equal(np.asarray(getattr(x, name)), np.asarray(getattr(y, name))) for name in NAMES)


def test_the_tiger_in_a_file_is_the_tiger():
    found = read_pomdp(DATA / "tiger.pomdp")
    assert found.states == ("tiger-left", "tiger-right")
    assert found.actions == ("listen", "open-left", "open-right")
    assert found.observations == ("hear-left", "hear-right")
    assert same(found.model, tiger())
    assert same(find_model(str(DATA / "tiger.pomdp")), tiger())


def test_every_form_of_the_grammar_by_hand():
    """The file's costs are worked out here entry by entry; wall, open, goal are equally likely in `done`."""
    found = read_pomdp(DATA / "corridor.pomdp")
    model = found.model
    assert is_exact(model.P)
    assert found.actions == ("0", "1", "2")
    assert model.start.tolist() == rational(["1/2", "1/2", 0, 0]).tolist()
    east = rational([["1/5", "4/5", 0, 0], [0, "1/5", "4/5", 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert (model.P[:, 0] == east).all()
    assert (model.P[:, 1] == rational([[1, 0, 0, 0], ["4/5", "1/5", 0, 0], [0, "4/5", "1/5", 0], [0, 0, 0, 1]])).all()
    assert (model.P[:3, 2] == rational([[0, 0, 0, 1]] * 3)).all()
    assert (model.P[3, 2] == model.start).all()  # reset
    rows = rational([["9/10", "1/10", 0], ["1/10", "9/10", 0], ["3/5", "1/10", "3/10"], ["1/3", "1/3", "1/3"]])
    assert (rows == model.Z).all()
    expected = rational(-np.ones((4, 3), dtype=int))
    expected[:, 2] = -10
    expected[2, 2] = 22  # minus the mean of −20, −20, −26
    expected[0, 1] = rational("9/10") * rational("1/2") - rational("1/10")  # wall is paid, open costs
    assert (model.r == expected).all()
    assert model.discount == rational("9/10")[()]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("", ["1/2", "1/2"]),
        ("start: uniform", ["1/2", "1/2"]),
        ("start: b", [0, 1]),
        ("start: 1", [0, 1]),
        ("start: 0.25 0.75", ["1/4", "3/4"]),
        ("start:\n1\n0.0", [1, 0]),
        ("start include: b", [0, 1]),
        ("start include : 0 b", ["1/2", "1/2"]),
        ("start exclude: b", [1, 0]),
    ],
)
def test_all_forms_of_start(start, expected):
    assert from_pomdp(PREAMBLE + start + "\n" + REST).model.start.tolist() == rational(expected).tolist()


def test_later_lines_replace_earlier_ones_and_wildcards_mean_all():
    text = PREAMBLE + REST + "T: go : a : a 0.0\nT: go : a : b 1\nR: * : * : * : * 3\nR: go : a : * : 1 -1.5E+0\n"
    model = from_pomdp(text).model
    assert (model.P[0, 0] == rational([0, 1])).all()
    assert model.r.tolist() == rational([["3/4", 3], [3, 3]]).tolist()  # (3 − 3/2) / 2


def test_rewards_by_end_state_and_observation():
    """R: row and matrix forms, an end state before and after a wildcard."""
    text = PREAMBLE + "T: * uniform\nO: * : a 1.0 0.0\nO: * : b 0.0 1.0\n"
    text += "R: go : a\n1 2\n3 4\nR: go : b : b 5 7\nR: stay : * : b : * 6\n"
    model = from_pomdp(text).model
    # go from a: ends in a and shows 0, or in b and shows 1: (1 + 4) / 2; from b only b pays, 7.
    assert model.r.tolist() == rational([["5/2", 3], ["7/2", 3]]).tolist()


def test_a_reward_by_end_state_alone():
    """Each end state has probability 1/2."""
    model = from_pomdp(PREAMBLE + "T: * uniform\nO: * uniform\nR: go : a : b : * 3\n").model
    assert model.r.tolist() == rational([["3/2", 0], [0, 0]]).tolist()


def test_rows_of_few_digits_become_distributions_in_float64():
    model = from_pomdp(
        PREAMBLE.replace("a b", "3") + "T: * identity\nT: go\n" + "0.333333 0.333333 0.333333\n" * 3 + "O: * uniform\n"
    ).model
    assert model.P.dtype == float
    assert np.allclose(model.P[:, 0], 1 / 3, rtol=0, atol=1e-15)


@st.composite
def decimal_models(draw):
    """Exact models whose numbers are decimals."""
    S, A, O = (draw(st.integers(1, 3)) for _ in range(3))  # noqa: E741

    def row(n):
        cuts = sorted(draw(st.lists(st.integers(0, 20), min_size=n - 1, max_size=n - 1)))
        return [rational(f"{b - a}/20")[()] for a, b in zip([0, *cuts], [*cuts, 20], strict=True)]

    P, Z = [[row(S) for _ in range(A)] for _ in range(S)], [[row(O) for _ in range(S)] for _ in range(A)]
    r = [[rational(f"{draw(st.integers(-999, 999))}/8")[()] for _ in range(A)] for _ in range(S)]
    return POMDP(*map(rational, (P, Z, r)), rational(f"{draw(st.integers(0, 20))}/20")[()], rational(row(S)))


@settings(max_examples=60, database=None, deadline=None)
@given(decimal_models())
def test_exact_models_come_back_exactly_and_texts_too(model):
    text = to_pomdp(model)
    back = from_pomdp(text).model
    assert is_exact(back.P)
    assert same(model, back)
    assert to_pomdp(back) == text


def test_float_models_come_back_bit_for_bit(tmp_path):
    for i in range(5):
        model = emitting_pomdps(np.random.default_rng(i), 1, S=4, A=3, O=3)[0]
        model = POMDP(model.P, model.Z, model.r, float(model.discount), model.start)
        write_pomdp(model, tmp_path / "a.POMDP", states=["n", "e", "s", "w"])
        found = read_pomdp(tmp_path / "a.POMDP")
        assert found.states == ("n", "e", "s", "w")
        for name in NAMES:
            assert (
                np.asarray(getattr(found.model.floats(), name)).tobytes() == np.asarray(getattr(model, name)).tobytes()
            )


def test_uniform_rows_of_thirds_can_be_written():
    model = read_pomdp(DATA / "corridor.pomdp").model
    assert "O: 0 : 3 uniform" in to_pomdp(model)
    assert same(from_pomdp(to_pomdp(model)).model, model)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("discount: 1.5\n", "line 1: found '1.5'; expected a discount from 0 to 1"),
        ("values: money\n", "line 1: found 'money'; expected 'reward' or 'cost' after 'values:'"),
        ("discount: 0.9\nstates: 2\nactions: 1\n", "expected the preamble to say 'observations:'"),
        ("states: 2\nactions: 1\nobservations: 1\n", "expected the preamble to say 'discount:'"),
        ("states: a a\n", "line 1: found 'a'; expected different names of states"),
        ("states: 0\n", "line 1: found '0'; expected at least one"),
        (PREAMBLE + "T: jump identity\n", "line 6: found 'jump'; expected one of the 2 actions (go, stay), or '*'"),
        (PREAMBLE + "T: go : c : a 1.0\n", "line 6: found 'c'; expected one of the 2 states (a, b), or '*'"),
        (PREAMBLE + "T: 2 identity\n", "line 6: found '2'; expected one of the 2 actions"),
        (
            PREAMBLE + "T: go\n1.0 0.0\n0.0\n",
            "line 7: a matrix of T has 3 numbers; expected 4, 2 rows of 2, or 'uniform' or 'identity'",
        ),
        (PREAMBLE + "T: go\n1.0 0.0\n0.0 1.0 0.0\n", "line 7: a matrix of T has more than 4 numbers; expected 4"),
        (PREAMBLE + "T: go : a : b 1.5\n", "line 6: found '1.5'; expected a probability from 0 to 1"),
        (PREAMBLE + "O: go identity\n", "line 6: a matrix of O has 0 numbers; expected 4, 2 rows of 2, or 'uniform'"),
        (PREAMBLE + "R: go 1.0\n", "line 6: found '1.0'; expected ':' and a start state after 'R: action'"),
        (PREAMBLE + "R: go : a : b : 2 1.0\n", "found '2'; expected one of the 2 observations (0, 1), or '*'"),
        (PREAMBLE + "Q: go\n", "line 6: found 'Q'; expected 'T:', 'O:' or 'R:'"),
        (PREAMBLE + "T go\n", "line 6: found 'go'; expected ':' after 'T'"),
        (PREAMBLE + "start: 0.5 0.4\n" + REST, "line 6: start sums to 0.9; expected probabilities that sum to 1"),
        (PREAMBLE + "start exclude: a b\n" + REST, "line 6: 'start exclude:' leaves no state"),
        (
            PREAMBLE + REST + "T: go : b\n0.5 0.4\n",
            "line 8: T: go : b sums to 0.9 over end states; expected probabilities",
        ),
        (
            PREAMBLE + "T: go identity\nO: * uniform\n",
            "T: stay : a is never given; expected probabilities that sum to 1",
        ),
    ],
)
def test_mistakes_are_named_with_file_line_and_what_was_expected(text, sentence, tmp_path):
    file = tmp_path / "wrong.pomdp"
    file.write_text(text)
    with pytest.raises(InstanceError) as error:
        find_model(str(file))
    assert str(error.value).startswith(f"{file}, line ")
    assert sentence in str(error.value)


def test_what_the_format_cannot_hold_is_said():
    with pytest.raises(InstanceError, match="1/3, which no decimal equals"):
        to_pomdp(tiger(accuracy="1/3"))
    with pytest.raises(InstanceError, match="not a batch"):
        to_pomdp(emitting_pomdps(np.random.default_rng(0), 2))
    with pytest.raises(InstanceError, match="before the first action"):
        to_pomdp(emitting_pomdps(np.random.default_rng(0), 1)[0])
    with pytest.raises(InstanceError, match="'start' is no name"):
        to_pomdp(tiger(), states=["start", "end"])
    with pytest.raises(InstanceError, match="1 different names of actions; expected 3"):
        to_pomdp(tiger(), actions=["x", "x", "x"])
    with pytest.raises(InstanceError, match="no such file"):
        read_pomdp("nowhere.pomdp")


def test_a_file_is_solved_and_can_be_given_another_discount_and_start():
    found = solution.solve(find_model(str(DATA / "corridor.pomdp")))
    assert found["observations"] == 3
    assert found["value_at_start"][1] - found["value_at_start"][0] < 1e-6
    changed = find_model(str(DATA / "tiger.pomdp"), discount="1/2", start="tiger-left")
    assert changed.discount == rational("1/2")[()]
    assert changed.start.tolist() == [1, 0]
    assert belief_bounds(changed).low > 9  # one knows where the tiger is: 10 and then half of what comes


@settings(max_examples=20, database=None, deadline=None)
@given(strategies.discounted_mdps(max_states=2))
def test_names_by_number_or_by_word_are_the_same(mdp):
    model = POMDP(
        mdp.P.copy(), rational(np.ones((mdp.A, mdp.S, 1), dtype=int)), mdp.r, mdp.discount, mdp.start
    ).floats()
    text = to_pomdp(model, states=[f"s{i}" for i in range(mdp.S)])
    assert same(from_pomdp(text).model, from_pomdp(to_pomdp(model)).model)
