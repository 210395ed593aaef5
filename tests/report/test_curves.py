from dataclasses import replace

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


def test_where_outcomes_can_be_listed_both_sides_are_expectations(theorems):
    """One state with reward 1 and γ = 9/10: two steps pay 1.9 of 10, and hide 8.1."""
    theorem = theorems["cut_return"]
    data = curves.measure(theorem, curves.representatives(theorem))
    one = data.sel(instance="one state").isel(claim=0, k=0)
    np.testing.assert_allclose([one.left, one.right], [1.9, 1.9], rtol=2.0**-46)
    assert np.isnan(data.low.values).all()
    assert data.sizes["instance"] > 100
    assert data.attrs["line"] == "expectation over all outcomes"


def test_elsewhere_they_are_means_over_replicates_with_the_middle_of_them(theorems):
    """The average of n fair coins is off by 1/(4n) in mean square, and by at most 1/4."""
    theorem = theorems["average"]
    data = curves.measure(theorem, curves.representatives(theorem))
    coin = data.sel(instance="fair coin").isel(claim=0)
    # A mean of 512 numbers of standard deviation s is off by s / √512; five of them is more than chance does.
    assert (abs(coin.left - 1 / (4 * coin.k)) <= 5 * coin.error + 1e-12).all()
    np.testing.assert_array_equal(coin.right, 1 / (2 * coin.k))
    assert (coin.low <= coin.left).all()
    assert (coin.left <= coin.high).all()
    assert (coin.high <= 1 / 4).all()
    assert data.sizes["instance"] == 2
    assert data.attrs["line"] == "mean and central 90 % of 512 replicates"


def test_the_same_seed_draws_the_same_replicates(theorems):
    theorem = theorems["average"]
    sample = curves.representatives(theorem)[:1]
    first, again, other = (curves.measure(theorem, sample, seed=seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_of_a_probability_the_band_holds_the_part_that_is_promised(theorems):
    """1 − 2δ = 80 % of the replicates lie between the least one and the upper end."""
    theorem = theorems["deviation"]
    data = curves.measure(theorem, curves.representatives(theorem)[:1]).isel(claim=0, instance=0)
    assert (data.low <= data.left).all()
    assert (data.high < data.right).all()
    assert data.attrs["line"] == "mean and lowest 80 % of 512 replicates"
    assert data.attrs["points"] == "mean to 80 % quantile of 512 replicates"


def test_a_statement_about_one_point_is_sampled_on_a_few_models_of_each_family(theorems):
    theorem = theorems["unbiased"]
    data = curves.measure(theorem, curves.representatives(theorem))
    assert data.sizes["instance"] == 5 * curves.SAMPLED
    off = (data.left - data.right).isel(claim=0, k=0)
    assert (abs(off) <= 5 * data.error.isel(claim=0, k=0) + 1e-12).all()


def test_what_may_neither_be_listed_nor_raced_is_not_drawn(theorems):
    theorem = theorems["average"]
    judge = replace(theorem.judge, within=dict.fromkeys(theorem.judge.within))
    with pytest.raises(MdplabError, match="no instance that can be drawn"):
        curves.measure(replace(theorem, judge=judge), curves.representatives(theorem))
