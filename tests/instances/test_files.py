"""Files give back what was written, bit for bit, and say what is wrong with them in one sentence."""

import json
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import ball, one_hot, rational, total
from mdplab.errors import InstanceError
from mdplab.exact import occupancy, optimum
from mdplab.instances import (
    families,
    find_model,
    from_json,
    load_model,
    save_model,
    state_names,
    strategies,
    to_json,
    two_by_two,
)
from mdplab.instances.constrained import constrained_garnet
from mdplab.instances.parts import flat, parts
from mdplab.instances.robust import ANY_SET
from mdplab.models import DiscountedMDP, SparseMDP

quick = settings(max_examples=60, database=None, deadline=None)
NAMES = ("P", "r", "discount", "start")


def same(a, b) -> bool:
    return all(np.array_equal(np.asarray(getattr(a, x)), np.asarray(getattr(b, x))) for x in NAMES)


def test_npz_gives_back_every_bit(tmp_path):
    rng = np.random.default_rng(0)
    for batch in (families.garnet(rng, 30, S=5, A=3), families.garnet(rng, 1, S=4, A=2)[0]):
        save_model(batch, tmp_path / "a.npz")
        back = load_model(tmp_path / "a.npz")
        assert back.batch == batch.batch
        for name in NAMES:
            assert np.asarray(getattr(back, name)).tobytes() == np.asarray(getattr(batch, name)).tobytes()


@quick
@given(strategies.discounted_mdps(rewards="any"))
def test_json_gives_back_rationals_exactly(mdp):
    back = from_json(to_json(mdp))
    assert back.P.dtype == object
    assert same(mdp, back)


def test_json_gives_back_floats_bit_for_bit():
    batch = families.garnet(np.random.default_rng(1), 20, S=3, A=2)
    for i in range(20):
        back = from_json(to_json(batch[i]))
        assert back.P.dtype == float
        for name in NAMES:
            assert np.asarray(getattr(back, name)).tobytes() == np.asarray(getattr(batch[i], name)).tobytes()


def test_json_is_readable_and_keeps_names(tmp_path):
    save_model(two_by_two(), tmp_path / "a.json", state_names=["here", "there"])
    text = (tmp_path / "a.json").read_text()
    assert '"P": [\n    [["9/10", "1/10"], ["1/5", "4/5"]],' in text
    assert state_names(tmp_path / "a.json") == ["here", "there"]
    assert same(load_model(tmp_path / "a.json"), two_by_two())


def test_one_decimal_without_quotes_makes_the_model_float64():
    text = '{"discount": %s, "P": [[[1]]], "r": [[1]]}'
    assert from_json(text % '"0.9"').discount == rational("9/10")[()]
    assert from_json(text % "0.9").discount == 0.9
    assert from_json(text % "0.9").P.dtype == float


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ('"uniform"', ["1/3"] * 3),
        ("1", [0, 1, 0]),
        ('"2"', [0, 0, 1]),
        ('"middle"', [0, 1, 0]),
        ('["1/2", 0, "1/2"]', ["1/2", 0, "1/2"]),
    ],
)
def test_start_is_a_distribution_a_state_or_uniform(start, expected):
    text = f"""{{"discount": 0, "start": {start}, "state_names": ["left", "middle", "right"],
              "P": [[[1, 0, 0]], [[0, 1, 0]], [[0, 0, 1]]], "r": [[0], [0], [1]]}}"""
    assert from_json(text).start.tolist() == rational(expected).tolist()


# States with unequal numbers of actions


@st.composite
def ragged(draw):
    """A document with one to three actions a state, and its data as Fractions."""
    S = draw(st.integers(1, 3))
    rows = strategies.distributions(S).map(lambda p: [str(x) for x in p])
    counts = [draw(st.integers(1, 3)) for _ in range(S)]
    P = [[draw(rows) for _ in range(n)] for n in counts]
    r = [[str(draw(strategies.REWARDS)) for _ in range(n)] for n in counts]
    return {"discount": str(draw(strategies.DISCOUNTS)), "P": P, "r": r}


def best_by_enumeration(document) -> list[Fraction]:
    """V* over all choices of real actions, each policy's system solved by elimination in Fractions."""
    γ, S = Fraction(document["discount"]), len(document["P"])
    found = []
    for actions in product(*(range(len(row)) for row in document["r"])):
        rows = [
            [int(s == t) - γ * Fraction(document["P"][s][a][t]) for t in range(S)] + [Fraction(document["r"][s][a])]
            for s, a in enumerate(actions)
        ]
        for k in range(S):  # I − γ P is diagonally dominant, so no pivot vanishes
            rows[k] = [x / rows[k][k] for x in rows[k]]
            for i in set(range(S)) - {k}:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
        found.append([row[-1] for row in rows])
    return [max(column) for column in zip(*found, strict=True)]


@quick
@given(ragged())
def test_padding_changes_no_optimal_value_and_names_no_copied_action(document):
    found = optimum(from_json(json.dumps(document)))
    assert [Fraction(str(x)) for x in found.v] == best_by_enumeration(document)
    assert all(a < len(row) for a, row in zip(found.action, document["r"], strict=True))


@quick
@given(st.data())
def test_padding_attains_no_new_occupancy(data):
    """Probability on copies moved to the last real action leaves the occupancy of every pair as it was."""
    document = data.draw(ragged())
    mdp = from_json(json.dumps(document))
    π = data.draw(strategies.policies(mdp.S, mdp.A))
    last = np.array([len(row) - 1 for row in document["r"]])
    copies = np.arange(mdp.A) > last[:, None]
    merged = np.where(copies, 0 * π, π) + one_hot(last, mdp.A, π) * total(np.where(copies, π, 0 * π))[:, None]
    assert (merged[copies] == 0).all()
    assert (occupancy(mdp, merged) == occupancy(mdp, π)).all()
    assert (total(merged * mdp.r) == total(π * mdp.r)).all()


# What is wrong with a file

GOOD = {"discount": "9/10", "P": [[["1/2", "1/2"]], [[0, 1]]], "r": [[1], [0]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": [[["1/2", "2/5"]], [[0, 1]]]}, r"P[0, 0] sums to 9/10; a distribution sums to 1"),
        ({"P": [[[0.5, 0.4]], [[0, 1]]]}, r"P[0, 0] sums to 0.9; a distribution sums to 1"),
        ({"P": [[["3/2", "-1/2"]], [[0, 1]]]}, r"P[0, 0, 1] is -1/2; a probability is at least 0"),
        ({"P": [[[float("nan"), 1]], [[0, 1]]]}, r"P[0, 0, 0] is nan; expected a finite number"),
        ({"P": [[["1/0", 1]], [[0, 1]]]}, r'P[0, 0, 0] is "1/0"; expected a number or a text such as "1/3"'),
        ({"P": [[["half", 1]], [[0, 1]]]}, r'P[0, 0, 0] is "half"; expected a number or a text'),
        ({"P": [[[None, 1]], [[0, 1]]]}, r"P[0, 0, 0] is null; expected a number"),
        ({"P": [[[True, 0]], [[0, 1]]]}, r"P[0, 0, 0] is true; expected a number"),
        ({"P": [[["1e99999999", 0]], [[0, 1]]]}, r'P[0, 0, 0] is "1e99999999"; expected a number'),
        ({"P": [[["1/2", "1/2"]], [[1]]]}, r"P[1, 0] has 1 entries; expected one for each of 2 states"),
        ({"P": [[["1/2", "1/2"]], []]}, r"P[1] is an empty list; expected a list"),
        ({"P": [[["1/2", "1/2"]], [3]]}, r"P[1, 0] is 3; expected a list"),
        ({"P": 7}, r"P is 7; expected a list"),
        ({"r": [[1]]}, r"r has 1 states and P has 2; expected as many"),
        ({"r": [[1, 2], [0]]}, r"r[0] has 2 actions and P[0] has 1; expected as many"),
        ({"r": [["x"], [0]]}, r'r[0, 0] is "x"; expected a number'),
        ({"discount": 1}, r"discount is 1; discounting needs 0 <= discount < 1"),
        ({"discount": "ten"}, r'discount is "ten"; expected a number'),
        ({"start": ["1/2", "1/3"]}, r"start sums to 5/6; a distribution sums to 1"),
        ({"start": [1]}, r"start has 1 entries; expected one for each of 2 states"),
        ({"start": 2}, r"start is state 2; expected 0 <= state < 2"),
        ({"start": "here"}, r"start is 'here'; expected a distribution, 'uniform', the index of a state"),
        ({"state_names": ["a"]}, r"state_names is ['a']; expected a list of 2 texts"),
        ({"state_names": ["a", "a"]}, r"state_names has 'a' more than once"),
        ({"model": "average"}, r"model is 'average'; expected one of "),
    ],
)
def test_a_wrong_entry_is_named_with_file_array_index_and_value(tmp_path, change, message):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(GOOD | change))
    with pytest.raises(InstanceError) as error:
        load_model(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"P": [[1,]]}', "not JSON: "),
        ("", "not JSON: Expecting value at line 1, column 1"),
        ("[]", "the file holds a list; expected an object with P, r and discount"),
        ('{"P": [[[1]]], "r": [[0]]}', "there is no 'discount'; found 'P', 'r'"),
        ("[" * 100_000, "not a model: "),
        ('{"discount": %s, "P": [[[1]]], "r": [[0]]}' % ("1" * 5000), "not a model: "),
    ],
)
def test_a_text_that_is_no_model_is_refused(tmp_path, text, message):
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(InstanceError) as error:
        load_model(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_missing_file_and_an_unknown_ending_are_named(tmp_path):
    with pytest.raises(InstanceError, match=r"no\.json: there is no such file"):
        load_model(tmp_path / "no.json")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InstanceError, match=r"ends in \.npz, \.json or \.pomdp, not in '\.txt'"):
        load_model(tmp_path / "a.txt")
    with pytest.raises(InstanceError, match=r"ends in \.npz or \.json, not in '\.txt'"):
        save_model(two_by_two(), tmp_path / "b.txt")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InstanceError, match="not a text in UTF-8"):
        load_model(tmp_path / "b.json")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"P": np.ones((1, 1, 1)), "r": np.ones((1, 1))},
            "there is no array 'discount'; found P, r, expected P, r, disc",
        ),
        (
            {"P": np.ones((1, 1, 1)), "r": np.ones((1, 1)), "discount": np.array("x")},
            "discount holds <U1; expected real",
        ),
        ({"P": np.ones((2, 1, 1)), "r": np.ones((1, 1)), "discount": 0.5}, "P has shape (2, 1, 1); r of shape (1, 1)"),
        ({"P": np.full((1, 1, 1), 0.9), "r": np.ones((1, 1)), "discount": 0.5}, "P[0, 0] sums to 0.9"),
        ({"P": np.ones((1, 1, 1)), "r": np.full((1, 1), np.inf), "discount": 0.5}, "r[0, 0] is inf; expected a finite"),
        (
            {"P": np.ones((1, 1, 1), dtype=object), "r": np.ones((1, 1)), "discount": 0.5},
            "not a .npz file of plain arr",
        ),
    ],
)
def test_a_wrong_npz_is_named(tmp_path, arrays, message):
    path = tmp_path / "model.npz"
    np.savez(path, **arrays)
    with pytest.raises(InstanceError) as error:
        load_model(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_file_that_only_ends_in_npz_is_refused(tmp_path):
    for content in (b"", b"PK\x03\x04 not really", b"\x93NUMPY\x01\x00"):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(InstanceError, match=r"not a \.npz file"):
            load_model(tmp_path / "a.npz")


def test_formats_refuse_what_they_cannot_hold(tmp_path):
    with pytest.raises(InstanceError, match=r"\.npz holds float64; write exact models to \.json"):
        save_model(two_by_two(), tmp_path / "a.npz")
    batch = families.garnet(np.random.default_rng(0), 3)
    with pytest.raises(InstanceError, match=r"JSON holds one model, not a batch of shape \(3,\)"):
        save_model(batch, tmp_path / "a.json")
    mdp = two_by_two()
    balls = DiscountedMDP(mdp.P, np.vectorize(ball, otypes=[object])(mdp.r), mdp.discount, mdp.start)
    with pytest.raises(InstanceError, match="balls have no text"):
        to_json(balls)


# -- other classes -----------------------------------------------------------------------------------------------------

OTHERS = [
    "two-constraints",
    "constrained-garnet",
    "torn",
    "objectives-garnet:M=3",
    "gambler",
    "random-exits",
    "uneven-epochs",
    "twin-states",
    "epochs",
    "tiger",
    "memory-needed",
    "emitting",
    "sign-reversal",
    "confounded",
    *(f"robust-garnet:set={name}" for name in ANY_SET),
    "early-stop",
    "two-kernels",
]


@pytest.mark.parametrize("ending", ["json", "npz"])
@pytest.mark.parametrize("name", OTHERS)
def test_models_of_every_class_come_back_as_they_were(tmp_path, name, ending):
    model = find_model(name)
    model = model.floats() if ending == "npz" else model
    save_model(model, tmp_path / f"a.{ending}")
    back = load_model(tmp_path / f"a.{ending}")
    assert type(back) is type(model)
    was, found = flat(parts(model)), flat(parts(back))
    assert found.keys() == was.keys()
    for key, x in was.items():
        assert np.asarray(found[key]).dtype == np.asarray(x).dtype
        assert np.array_equal(np.asarray(found[key]), np.asarray(x)), key


def test_a_batch_of_another_class_is_one_npz(tmp_path):
    batch = constrained_garnet(np.random.default_rng(0), 4, constraints=2)
    save_model(batch, tmp_path / "a.npz")
    back = load_model(tmp_path / "a.npz")
    assert back.batch == (4,)
    assert (back.utilities == batch.utilities).all()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("early-stop", {"ambiguity.set": np.asarray("Ball")}, "ambiguity.set is 'Ball'; expected the name of a class"),
        ("early-stop", {"ambiguity.low": None}, "there is no array 'ambiguity.low'; a Box has low, high"),
        (
            "torn",
            {"rewards": None},
            "there is no array 'rewards' for a multi_objective model; found P, discount, start",
        ),
        ("torn", {"model": np.asarray("bandit")}, "model is 'bandit'; expected one of confounded, constrained"),
        ("torn", {"rewards": np.asarray("x")}, "rewards holds <U1; expected real numbers"),
        ("uneven-epochs", {"r[1]": None}, r"there is no array 'r\[1\]', though there are 2"),
    ],
)
def test_a_wrong_npz_of_another_class_is_named(tmp_path, name, change, message):
    path = tmp_path / "a.npz"
    save_model(find_model(name).floats(), path)
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files} | change
    np.savez(path, **{key: x for key, x in arrays.items() if x is not None})
    with pytest.raises(InstanceError, match=message):
        load_model(path)


def test_sparse_models_are_refused(tmp_path):
    with pytest.raises(InstanceError, match="files hold no models of class SparseMDP"):
        save_model(SparseMDP.of(two_by_two().floats()), tmp_path / "a.npz")
