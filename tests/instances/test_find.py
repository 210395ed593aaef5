"""One text names a model, and a wrong text says what would have been right."""

import subprocess
import sys

import numpy as np
import pytest

from mdplab.arrays import rational
from mdplab.errors import InstanceError
from mdplab.instances import families, find_model, known_names, save_model, two_by_two
from mdplab.instances.find import EXAMPLES, FAMILIES, options_of


def test_a_family_with_its_options_is_the_first_of_its_batch():
    found = find_model("garnet:S=20,A=5,seed=3", 0.95)
    expected = families.garnet(np.random.default_rng(3), 1, S=20, A=5, discount=0.95)[0]
    assert found.batch == ()
    assert found.P.tobytes() == expected.P.tobytes()
    assert found.start.tobytes() == expected.start.tobytes()
    assert found.discount == 0.95


def test_the_seed_makes_the_model():
    a, b, c = (find_model(f"garnet:S=4,seed={seed}") for seed in (1, 1, 2))
    assert a.P.tobytes() == b.P.tobytes()
    assert a.P.tobytes() != c.P.tobytes()


@pytest.mark.parametrize("name", known_names())
def test_every_name_names_one_model(name):
    mdp = find_model(name)
    assert mdp.batch == ()
    assert getattr(getattr(mdp, "discount", 0), "shape", ()) == ()


def test_the_discount_of_the_caller_counts_before_the_one_in_the_name():
    assert find_model("garnet").discount == 0.9
    assert find_model("garnet:discount=0.5").discount == 0.5
    assert find_model("garnet:discount=0.5", "3/4").discount == 0.75


def test_a_discount_stays_exact_in_an_exact_model():
    assert find_model("two-state-swap", 0.99).discount == rational("99/100")[()]
    assert find_model("one-state-loop:A=2,discount=1/3").discount == rational("1/3")[()]


def test_an_example_built_from_its_discount_is_rebuilt():
    """`greedy-loss` pays 2γε, here 1."""
    assert find_model("greedy-loss", "1/2").r.tolist() == [[0, 1], [1, 1]]


def test_start_may_be_uniform_or_a_state():
    assert find_model("long-chain:H=2", start="uniform").start.tolist() == rational(["1/4"] * 4).tolist()
    assert find_model("garnet:S=3", start="2").start.tolist() == [0, 0, 1]
    assert find_model("garnet:S=3", start=1).start.tolist() == [0, 1, 0]


def test_files_are_found_by_their_ending_and_know_their_states(tmp_path):
    path = tmp_path / "a.json"
    save_model(two_by_two(), path, state_names=["here", "there"])
    assert find_model(str(path)).start.tolist() == rational(["3/5", "2/5"]).tolist()
    assert find_model(str(path), start="there").start.tolist() == [0, 1]
    batch = families.garnet(np.random.default_rng(0), 3, S=2)
    save_model(batch, tmp_path / "b.npz")
    assert find_model(str(tmp_path / "b.npz"), 0.5, "1").start.tolist() == [[0, 1]] * 3


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("garnt", {}, "there is no model 'garnt'; did you mean 'garnet'?"),
        ("puterman6.2.1", {}, "there is no model 'puterman6.2.1'; did you mean 'puterman-6.2.1'?"),
        (
            "garnet:S=3,seeed=1",
            {},
            "there is no option 'seeed'; did you mean 'seed'?; expected one of A, S, b, discount",
        ),
        ("tied-bandit:H=3", {}, "tied-bandit:H=3: there is no option 'H'; it has no options"),
        ("garnet:S=x", {}, "S is 'x'; expected an integer"),
        ("garnet:seed=1.5", {}, "seed is '1.5'; expected an integer"),
        ("garnet:seed=-1", {}, "garnet:seed=-1: seed is -1; expected at least 0"),
        ("garnet:S", {}, "garnet:S: 'S' is not an option; expected name=value"),
        ("garnet:S=3,S=4", {}, "'S' is given more than once"),
        ("garnet:S=3,b=7", {}, "S=3 states has b=7 successors"),
        ("deterministic:noise=2", {}, "a probability is at least 0"),
        ("riverswim:current=x", {}, "current is 'x'; expected a number"),
        ("long-chain:H=0", {}, "long-chain:H=0: H is 0"),
        ("garnet:discount=1", {}, "discounting needs 0 <= discount < 1"),
        ("garnet", {"discount": "1"}, "discount is 1; expected 0 <= discount < 1"),
        ("garnet", {"discount": "nan"}, "discount is 'nan'; expected a number such as 0.99 or 9/10"),
        ("garnet", {"start": "9"}, "start is state 9; expected 0 <= state < 5"),
        ("garnet", {"start": "here"}, "start is 'here'; expected a distribution, 'uniform', the index of a state"),
        ("gym:FrozenLake-v1", {}, "gym:FrozenLake-v1 has no discount of its own: add --discount, for example 0.99"),
        ("lock:H=0", {}, "lock:H=0: H is 0; expected at least 1"),
        ("epochs:H=0", {}, "epochs:H=0: H is 0; expected at least 1"),
        ("walk:n=1", {}, "walk:n=1: n is 1; a walk has a point inside from n = 2 on"),
        ("nowhere.json", {}, "nowhere.json: there is no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text, options, message):
    with pytest.raises(InstanceError) as error:
        find_model(text, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def whole_numbers():
    for name, make in (EXAMPLES | FAMILIES).items():
        for option, parameter in options_of(make).items():
            if str(parameter.annotation) == "int":
                yield f"{name}:{option}"


@pytest.mark.parametrize("option", list(whole_numbers()))
def test_sizes_and_horizons_below_one_give_a_model_or_one_sentence(option):
    """Zero may mean all, or none; what it cannot mean is said."""
    for value in (0, -1):
        try:
            find_model(f"{option}={value}")
        except InstanceError as error:
            assert str(error).startswith(f"{option}={value}: ")  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017


CLASSES = {
    "garnet": "DiscountedMDP",
    "two-rooms": "DiscountedMDP",
    "paradox": "ConstrainedMDP",
    "constrained-garnet:constraints=2": "ConstrainedMDP",
    "deep-sea": "MultiObjectiveMDP",
    "objectives-garnet:M=3": "MultiObjectiveMDP",
    "share-repurchase": "ExitTimeMDP",
    "random-exits": "ExitTimeMDP",
    "lock": "FiniteHorizonMDP",
    "epochs": "FiniteHorizonMDP",
    "tiger": "POMDP",
    "emitting": "POMDP",
    "two-witnesses": "ConfoundedPOMDP",
    "confounded": "ConfoundedPOMDP",
    "two-kernels": "RobustMDP",
    "robust-garnet": "RobustMDP",
}


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_models_has_names(name):
    """All but `SparseMDP`, which is another way to store a `DiscountedMDP`."""
    model = find_model(name)
    assert type(model).__name__ == CLASSES[name]
    assert find_model(name, start="uniform").start.sum() == pytest.approx(1, abs=1e-12)


def test_yes_and_no_are_options_and_tuples_are_none():
    found = find_model("constrained-garnet:opposed=True")
    assert (found.utilities[0] == 1 - found.r).all()
    with pytest.raises(InstanceError, match="opposed is 'yes'; expected True or False"):
        find_model("constrained-garnet:opposed=yes")
    with pytest.raises(InstanceError, match="there is no option 'start'; it has no options"):
        find_model("two-kernels:start=1")


def test_another_discount_moves_the_bound_of_the_paradox_along():
    """The bound is half of the most that can be had, 1 / (2 (1 − γ))."""
    assert find_model("paradox", "1/2").least.tolist() == [-1]


def test_importing_instances_loads_nothing_heavy():
    heavy = ("hypothesis", "gymnasium", "scipy", "sympy", "numba", "matplotlib", "xarray")
    code = f"import sys, mdplab.instances; print([m for m in {heavy!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_partially_observable_examples_have_names_too():
    assert find_model("tiger", discount="3/4").discount == rational("3/4")[()]
    assert find_model("tiger:accuracy=3/5").Z[0, 0, 0] == rational("3/5")[()]
    assert find_model("sign-reversal:horizon=2").horizon == 2
    assert find_model("sign-reversal", start="1").start.tolist() == [0, 1]
    with pytest.raises(InstanceError, match="a model of class ConfoundedPOMDP has no discount"):
        find_model("sign-reversal", discount="1/2")
