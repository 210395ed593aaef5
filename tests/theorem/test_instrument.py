"""The engine tested as an instrument: planted false bounds are found and made small, true ones stand everywhere."""

import json
from fractions import Fraction

import numpy as np
import pytest
from sympy import Eq, Rational, sqrt

from mdplab.arrays import largest, rational, sup, total
from mdplab.errors import MdplabError, TheoremError
from mdplab.exact import optimum
from mdplab.instances import Domain, Family, discounted_mdps, one_state_loop, values
from mdplab.models import DiscountedMDP
from mdplab.solvers import value_iteration
from mdplab.theorem import Assumption, Quantity, Without, as_printed, check, for_all, identity, rate, theorem, witness
from mdplab.theorem.exactly import judge_exactly
from mdplab.theorem.floating import run_in_floats
from mdplab.theorem.inputs import exact, from_json, in_floats
from mdplab.theorem.judges.comparison import Outcome

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "number of backups", integer=True)
error = Quantity(r"\lVert v_k - v^\star \rVert", "error of the k-th iterate")
step = Quantity(r"\lVert v_1 - v_0 \rVert", "length of the first step")
x = Quantity("x", "something measured")
n = Quantity("n", "a count", integer=True)

with as_printed():
    tight = error <= γ**k / (1 - γ) * step
    below_two = x <= 2
    below_one = x <= 1


def apriori(claim, **options):
    """Value iteration's a priori bound, or a false version of it, as a theorem."""

    @theorem(
        claim,
        **{
            "cite": "test",
            "at": "here",
            "judge": for_all(k, up_to=20),
            "on": {"mdp": discounted_mdps(rewards="any"), "v0": values},
            "near_misses": {"without 1/(1-γ)": error <= γ**k * step},
            **options,
        },
    )
    def planted(mdp, v0, *, solver=value_iteration):
        """Planted."""
        v_star = optimum(mdp).v
        constants = {γ: mdp.discount, step: sup(mdp.bellman(v0) - v0)}
        for i, v in enumerate(solver(mdp, v0)):
            yield constants | {k: i, error: sup(v - v_star)}

    return planted


def on_models(claim, measure, **options):
    """A theorem about single models."""
    settings = {"cite": "test", "at": "here", "judge": for_all(), "on": {"mdp": discounted_mdps()}}
    return theorem(claim, **{**settings, "near_misses": {"nothing is that small": x <= -(10**9)}, **options})(measure)


def smallest_model(verdict):
    return from_json(verdict.smallest.inputs["mdp"])


# -- planted false bounds ----------------------------------------------------------------------------------------------


def test_a_constant_one_percent_too_small_is_refuted_and_shrunk_to_one_state():
    with as_printed():
        planted = apriori(error <= Rational(99, 100) * γ**k / (1 - γ) * step)
    verdict = check(planted, profile="quick")
    assert (verdict.word, verdict.as_declared) == ("refuted", False)
    mdp = smallest_model(verdict)
    assert mdp.S * mdp.A <= 2
    assert verdict.smallest.k == 0


def test_a_wrong_exponent_is_refuted():
    with as_printed():
        planted = apriori(error <= γ ** (k + 1) / (1 - γ) * step)
    verdict = check(planted, profile="quick")
    assert verdict.word == "refuted"
    assert smallest_model(verdict).S == 1


def test_a_bound_that_fails_only_for_discounts_above_98_percent_is_refuted():
    horizon = Quantity("h", "1 / (1 − γ)", accuracy="exact")

    def measure(mdp):
        """Planted."""
        yield {horizon: 1 / (1 - mdp.discount)}

    verdict = check(on_models(horizon <= 50, measure, near_misses={"at most one": horizon <= 1}), profile="quick")
    assert verdict.word == "refuted"
    mdp = smallest_model(verdict)
    assert (mdp.S, mdp.A) == (1, 1)
    assert Fraction(str(mdp.discount)) > Fraction(98, 100)


def test_a_bound_that_fails_only_under_ties_is_refuted_on_one_state_with_two_equal_actions():
    def measure(mdp):
        """Planted."""
        yield {
            x: largest(
                total((optimum(mdp).loss == 0) * rational(1)[()] if mdp.P.dtype == object else optimum(mdp).loss == 0)
            )
        }

    verdict = check(on_models(below_one, measure), profile="quick")
    assert verdict.word == "refuted"
    mdp = smallest_model(verdict)
    assert (mdp.S, mdp.A) == (1, 2)
    assert mdp.r[0, 0] == mdp.r[0, 1]


def test_a_bound_that_fails_only_at_iterate_777_is_refuted_there():
    def measure(mdp):
        """Planted."""
        for i in range(10**6):
            yield {k: i, x: mdp.reward_range * 0 + (3 if i == 777 else 1)}

    verdict = check(on_models(below_two, measure, judge=for_all(k, up_to=1000)), profile="quick")
    assert (verdict.word, verdict.smallest.k) == ("refuted", 777)
    assert (smallest_model(verdict).S, smallest_model(verdict).A) == (1, 1)


def test_a_refutation_in_float64_that_exact_arithmetic_does_not_confirm_is_none():
    """On the one-state loop the bound is an equality; float64 alone reports lhs/rhs = 1 + 6.7e-16."""
    bound = apriori(tight, named=[one_state_loop])
    inputs = in_floats(bound.instance(one_state_loop))
    sides = [(float(s), float(t)) for _, s, t in bound.trace(**inputs, up_to=20)]
    assert any(s > t for s, t in sides)  # rounding alone would refute it
    assert check(bound, profile="quick").word == "stands"


# -- true statements ---------------------------------------------------------------------------------------------------


def test_a_tight_bound_stands_in_rationals_in_balls_and_in_float64():
    bound = apriori(tight)
    loop = bound.instance(one_state_loop)
    in_rationals = judge_exactly(bound, bound.claims, loop, 20)[""]
    assert not in_rationals.balls
    assert in_rationals.failure is None
    assert in_rationals.ratio == 1
    floats = run_in_floats(bound, bound.claims, in_floats(loop), 20)[""]
    assert not (floats.outcome == 4).any()
    with as_printed():
        in_roots = apriori(sqrt(error) <= sqrt(γ**k / (1 - γ) * step))
    result = judge_exactly(in_roots, in_roots.claims, loop, 20)[""]
    assert result.balls
    assert result.failure is None
    assert not result.outcomes[3]  # equality to every digit is recognised, not left open
    assert result.outcomes[2] == 21


def test_a_false_equality_in_balls_is_told_from_a_true_one():
    def measure(mdp):
        """Planted."""
        from mdplab.arrays import exp, log

        yield {x: exp(log(1 + mdp.reward_range)), step: 1 + mdp.reward_range}

    with as_printed():
        true = on_models(
            Eq(x, step), measure, judge=identity(), near_misses={"off by 1e-30": Eq(x, step + Rational(1, 10**30))}
        )
    verdict = check(true, profile="quick")
    assert verdict.word == "stands"
    assert verdict.near_misses[0].refuted


def test_the_other_direction_of_a_relation_is_judged_alike():
    with as_printed():
        flipped = apriori(γ**k / (1 - γ) * step >= error)
        wrong = apriori(γ**k * step >= error, near_misses={})
    assert check(flipped, profile="quick").word == "stands"
    assert check(wrong, profile="quick").word == "refuted"


def test_a_whole_trajectory_stays_decided_at_high_precision():
    """The logistic map at 4 doubles every error: each iterate costs a bit, and the precision provides for it."""

    def measure(mdp):
        """Planted."""
        from mdplab.arrays import exp
        from mdplab.arrays import largest as top

        y = exp(top(mdp.r, 2) - 3) / 2
        for i in range(10**6):
            yield {k: i, x: y}
            y = 4 * y * (1 - y)

    chaotic = on_models(
        below_one, measure, judge=for_all(k, up_to=300), near_misses={"below 9/10": x <= Rational(9, 10)}
    )
    result = judge_exactly(chaotic, chaotic.claims, chaotic.instance(one_state_loop), 300)[""]
    assert result.failure is None
    assert result.outcomes[3] == 0


# -- the other words ---------------------------------------------------------------------------------------------------


def test_a_theorem_without_near_misses_is_toothless():
    verdict = check(apriori(tight, near_misses={}), profile="quick")
    assert (verdict.word, verdict.reason) == ("toothless", "it has no near misses")


def test_a_theorem_with_a_true_near_miss_is_toothless_and_names_it():
    with as_printed():
        verdict = check(
            apriori(tight, near_misses={"twice the bound": error <= 2 * γ**k / (1 - γ) * step}), profile="quick"
        )
    assert verdict.word == "toothless"
    assert "twice the bound" in verdict.reason


def test_a_wrong_algorithm_is_a_near_miss():
    def lagged(mdp, v0):
        stream = value_iteration(mdp, v0)
        first = next(stream)
        yield first
        yield first
        yield from stream

    verdict = check(
        apriori(tight, near_misses={"backups of the iterate before last": {"solver": lagged}}), profile="quick"
    )
    assert verdict.word == "stands"
    assert verdict.near_misses[0].kind == "algorithm"


def test_a_near_miss_that_replaces_no_slot_is_an_error_that_names_the_slots():
    with pytest.raises(TheoremError, match=r"replaces \['speed'\].*\['solver'\]"):
        apriori(tight, near_misses={"faster": {"speed": 2}})


impossible = Assumption("0 = 1", "zero is one", lambda mdp: np.zeros(mdp.batch, bool))
small_rewards = Assumption(
    r"r \le 1/2",
    "rewards are at most 1/2",
    lambda mdp: largest(mdp.r, 2) <= Fraction(1, 2) * 1.0 if mdp.P.dtype != object else largest(mdp.r, 2) * 2 <= 1,
)


def test_assumptions_that_nothing_meets_make_a_theorem_vacuous():
    verdict = check(apriori(tight, given=[impossible]), profile="quick")
    assert verdict.word == "vacuous"
    assert verdict.instances["discarded"] > 0
    assert verdict.comparisons["floats"] == verdict.comparisons["rationals"] == 0


def test_zero_below_zero_everywhere_is_vacuous():
    def measure(mdp):
        """Planted."""
        yield {x: mdp.reward_range * 0, step: mdp.reward_range * 0}

    verdict = check(on_models(x <= step, measure), profile="quick")
    assert verdict.word == "vacuous"


def test_a_bound_above_the_trivial_one_everywhere_is_vacuous():
    with as_printed():
        loose = apriori(error <= 10**9 + γ**k / (1 - γ) * step, trivial=10**9, near_misses={"negative": error <= -step})
    verdict = check(loose, profile="quick")
    assert verdict.word == "vacuous"
    assert verdict.informative == {"first": None, "share": 0.0}


def test_dropping_an_assumption_that_is_needed_is_refuted_and_one_that_is_not_survives():
    def measure(mdp):
        """Planted."""
        yield {x: largest(mdp.r, 2)}

    with as_printed():
        half = x <= Rational(1, 2)
    needed = on_models(half, measure, given=[small_rewards], near_misses={"any rewards": Without(small_rewards)})
    assert check(needed, profile="quick").word == "stands"
    idle = on_models(below_one, measure, given=[small_rewards], near_misses={"any rewards": Without(small_rewards)})
    assert check(idle, profile="quick").word == "toothless"


def test_what_no_precision_decides_is_undecided():
    def measure(mdp):
        """Planted."""
        from mdplab.arrays import exp

        wide = exp(mdp.reward_range)  # in balls: an interval of length one that no precision narrows
        if mdp.P.dtype == object:
            import flint

            wide = flint.arb(1, "0.5")
        yield {x: wide, step: 1 + mdp.reward_range * 0}

    verdict = check(on_models(x <= step, measure, on={"mdp": Domain(discounted_mdps().draw)}), profile="quick")
    assert verdict.word == "undecided"
    assert verdict.comparisons["open"] > 0


# -- rates and witnesses -----------------------------------------------------------------------------------------------

t = Quantity("t", "iterate", integer=True)


def decay(power):
    def measure(mdp):
        """Planted."""
        for i in range(1, 10**6):
            yield {t: i, x: (1 + mdp.reward_range) / i**power}

    return measure


def test_a_rate_stands_and_one_that_is_off_by_a_root_is_refuted_as_evidence_of_level_one():
    with as_printed():
        claim, half = x <= 1 / t, x <= 1 / t * t ** Rational(-1, 2)
    stands = check(
        on_models(claim, decay(1), judge=rate(t, up_to=2000), near_misses={"a root faster": half}), profile="quick"
    )
    assert (stands.word, stands.level) == ("stands", 1)
    wrong = check(on_models(claim, decay(0.5), judge=rate(t, up_to=2000)), profile="quick")
    assert wrong.word == "refuted"


def test_a_witness_must_attain_the_relation_and_its_near_misses_must_not():
    with as_printed():
        equal, more = Eq(error, γ**k / (1 - γ) * step), error >= Rational(101, 100) * γ**k / (1 - γ) * step
    attained = apriori(equal, judge=witness(up_to=3), named=[one_state_loop], near_misses={"one percent more": more})
    assert check(attained, profile="quick").word == "stands"
    missed = apriori(more, judge=witness(up_to=3), named=[one_state_loop], near_misses={})
    assert check(missed, profile="quick").word == "refuted"


# -- mistakes in a measure ---------------------------------------------------------------------------------------------


def measure_without_x(mdp):
    yield {step: mdp.discount}


def measure_nan(mdp):
    yield {k: 0, x: mdp.discount}
    yield {k: 1, x: mdp.discount * float("nan") if mdp.P.dtype != object else float("nan")}


def measure_of_wrong_shape(mdp):
    yield {x: np.zeros(7) if mdp.batch else mdp.discount}


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [
        (measure_without_x, "measure_without_x: the measure yields no value for x at iterate 0"),
        (measure_nan, r"measure_nan: x is not a number \(NaN\) at iterate 1"),
        (measure_of_wrong_shape, r"measure_of_wrong_shape: x has shape \(7,\) at iterate 0; expected \(16,\)"),
    ],
)
def test_a_wrong_measure_gives_an_error_that_names_theorem_quantity_and_iterate(measure, sentence):
    judge = for_all(k) if measure is measure_nan else for_all()
    with pytest.raises(TheoremError, match=sentence):
        check(on_models(below_two, measure, judge=judge), profile="quick")


# -- verdicts as data --------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_instances():
    first, again, other = (json.dumps(check(apriori(tight), profile="quick", seed=s).to_json()) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_instance_of_a_batch_becomes_exact_without_changing_any_float():
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(4), (4, 2))
    bound = apriori(tight)
    inputs = exact(bound, {"mdp": DiscountedMDP(P, rng.random((4, 2)), 0.9), "v0": rng.random(4)})
    rows = inputs["mdp"].P
    assert (rows.sum(axis=-1) == 1).all()
    changed = np.array([[float(Fraction(str(y))) for y in row] for row in rows.reshape(-1, 4)]).reshape(P.shape) != P
    assert changed.sum() <= 8  # at most the largest entry of each row
    assert Fraction(str(inputs["v0"][0])) == Fraction(float(in_floats(inputs)["v0"][0]))


def test_families_that_fail_only_in_large_models_are_shrunk_by_search():
    """Refuted in a family of five states; the search finds that two are enough."""

    def make(rng, size):
        P = rng.dirichlet(np.ones(5), (size, 5, 2))
        return DiscountedMDP(P, rng.random((size, 5, 2)), 0.5)

    def measure(mdp):
        """Planted."""
        yield {n: mdp.S}

    domain = Domain(discounted_mdps().draw, families=(Family("five states", make),))
    with as_printed():
        planted = on_models(n <= 1, measure, on={"mdp": domain}, near_misses={"none": n <= 0})
    verdict = check(planted, profile="quick")
    assert verdict.word == "refuted"
    assert smallest_model(verdict).S == 2


def test_a_refutation_by_rationals_of_hundreds_of_digits_is_written_down():
    """Numerator and denominator are too large for a float each, their quotient is not."""
    from mdplab.theorem.check import _digits

    assert _digits(rational(f"{10**400 + 1}/{3 * 10**400}")[()]) == "0.333333333333"


def test_the_square_of_a_ball_around_zero_is_a_ball():
    import flint

    from mdplab.theorem.claim import compiled

    with as_printed():
        square = compiled(x**2)
    assert square({x: flint.arb(0, 1)}, rational).is_finite()


def test_a_model_on_which_nothing_can_be_measured_leaves_the_theorem_undecided_with_the_reason():
    def measure(mdp):
        """Measures nothing."""
        raise MdplabError("the model has no such thing")
        yield {x: 0}

    verdict = check(on_models(below_one, measure), profile="quick", model=("mine", one_state_loop()))
    assert (verdict.word, verdict.reason) == ("undecided", "the model has no such thing")
    assert not verdict.as_declared


def test_what_one_pass_settled_stays_settled_when_the_pass_before_broke_off():
    """√2 √2 = 2 at both iterates, and balls of less than 200 bits do not reach the second one."""
    from mdplab.arrays import precision
    from mdplab.arrays import sqrt as root

    def measure(mdp):
        """Equal."""
        yield {n: 0, x: root(2 + 0 * mdp.r[0, 0]) ** 2}
        if precision() < 200:
            raise ZeroDivisionError
        yield {n: 1, x: root(2 + 0 * mdp.r[0, 0]) ** 2}

    with as_printed():
        equal = on_models(x <= 2, measure, judge=for_all(n, up_to=1))
    result = judge_exactly(equal, equal.claims, {"mdp": exact(equal, {"mdp": one_state_loop()})["mdp"]}, 1)[""]
    assert result.outcomes == {Outcome.TOUCHES: 2}
