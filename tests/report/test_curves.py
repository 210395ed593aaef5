import numpy as np
import pytest

from mdplab.arrays import floats
from mdplab.errors import MdplabError
from mdplab.instances import find_model
from mdplab.report import curves


def test_both_sides_are_those_of_the_trace(theorems):
    """One state with reward 1 and γ = 9/10 from v = 0: error and bound are both 10 · 0.9^k."""
    theorem = theorems["contraction"]
    data = curves.measure(theorem, curves.representatives(theorem), up_to=20)
    one = data.sel(instance="one state").isel(claim=0)
    # Twenty backups, each off by at most a rounding of numbers below ten.
    np.testing.assert_allclose(one.left, 10 * 0.9**one.k, rtol=0, atol=20 * 10 * 2.0**-52)
    np.testing.assert_allclose(one.right, 10 * 0.9**one.k, rtol=40 * 2.0**-52)
    assert (one.floor > 0).all()


def test_a_family_is_drawn_beside_named_instances(theorems, verdict):
    data = curves.measure(theorems["contraction"], curves.representatives(theorems["contraction"]), up_to=3)
    assert set(data.role.values) == {"named", "family"}
    assert int((data.role == "family").sum()) == curves.FAMILY
    worst = curves.representatives(theorems["contraction"], verdict("contraction"))
    assert [s.role for s in worst[:2]] == ["worst", "named"]
    assert len({s.label for s in worst}) == len(worst)


def test_a_refuted_theorem_is_drawn_on_its_worst_counterexample(theorems, verdict):
    first = curves.representatives(theorems["too_good"], verdict("too_good"))[0]
    assert first.role == "counterexample"
    data = curves.measure(theorems["too_good"], [first])
    assert (data.left > data.right).any()


def test_a_model_of_the_user_is_drawn_with_the_simplest_other_inputs(theorems):
    samples = curves.on_model(theorems["sublinear"], "two-by-two", find_model("two-by-two"))
    data = curves.measure(theorems["sublinear"], samples, up_to=30)
    assert data.sizes["instance"] == 1
    assert (samples[0].inputs["θ"] == 0).all()
    assert floats(samples[0].inputs["mdp"].discount) == 0.9


def test_the_trivial_bound_is_kept_and_tells_where_a_bound_informs(theorems):
    samples = curves.on_model(theorems["sublinear"], "two-by-two", find_model("two-by-two"))
    data = curves.measure(theorems["sublinear"], samples, up_to=30).isel(claim=0)
    np.testing.assert_allclose(data.trivial, 10, rtol=2.0**-48)
    np.testing.assert_array_equal(data.informative.values > 0, data.right.values < data.trivial.values)


def test_iterates_that_only_some_instances_have_are_missing_in_the_others(theorems):
    theorem = theorems["performance_difference"]
    data = curves.measure(theorem, curves.representatives(theorem))
    assert data.sizes["k"] == 8
    assert np.isnan(data.left.values).any()


def test_parts_of_a_statement_come_side_by_side(theorems):
    data = curves.measure(theorems["in_parts"], curves.representatives(theorems["in_parts"]), up_to=4)
    assert list(data.claim.values) == ["values", "steps"]
    assert (data.right.sel(claim="steps") >= data.right.sel(claim="values")).all()


def test_nothing_to_draw_is_an_error_in_one_sentence(theorems):
    with pytest.raises(MdplabError, match=r"sample_theorems\.contraction has no instance that can be drawn"):
        curves.measure(theorems["contraction"], [])
