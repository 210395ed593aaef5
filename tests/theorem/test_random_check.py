"""Random claims: enumerated where they can be, raced elsewhere; planted false ones are refuted, and nothing else."""

import json

import numpy as np
import pytest
from sympy import Rational, log, sqrt

from mdplab.arrays import largest, rational, softmax, total
from mdplab.errors import TheoremError
from mdplab.exact import values
from mdplab.instances import Domain, discounted_mdps, logits
from mdplab.models import DiscountedMDP
from mdplab.sampling import Draws, rollouts
from mdplab.theorem import Quantity, as_printed, check, in_expectation, sampled, theorem, with_probability
from mdplab.theorem.collect import collect
from mdplab.theorem.random_check import ALPHA
from mdplab.theorem.replay import save
from mdplab.theorem.run import Settings, verify

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
H = Quantity("H", "length of a trajectory", integer=True)
R = Quantity("R", "largest reward", accuracy="exact")
G = Quantity("G", "return of a trajectory")
V = Quantity("V", "value")
δ = Quantity(r"\delta", "probability of failure", accuracy="exact")
n = Quantity("n", "trajectories", integer=True)
k = Quantity("k", "round", integer=True)

with as_printed():
    truncated = V + R * γ**H / (1 - γ) >= G
    too_small = V - R / 10 >= G
    at_least = V - R * γ**H / (1 - γ) <= G


def coin(p):
    """One state; action 0 pays 1, action 1 pays 0; γ = 0."""
    mdp = DiscountedMDP(np.ones((1, 2, 1)), np.array([[1.0, 0.0]]), 0.0)
    return {"mdp": mdp, "θ": np.array([[np.log(p / (1 - p)), 0.0]])}


def coins():
    from hypothesis import strategies as st

    mdp = coin(0.5)["mdp"]
    return {
        "mdp": Domain(draw=lambda: st.just(mdp.exact()), simplest=lambda: mdp),
        "θ": Domain(draw=lambda: st.sampled_from([rational([[0, 0]]), rational([[1, 0]])])),
    }


coins = coins()


def about_returns(claim=truncated, rounds=1, horizon=2, **options):
    """E G = V_H is at most V + R γ^H / (1 − γ), drawn in the last of several rounds."""

    @theorem(
        claim,
        **{
            "cite": "test",
            "at": "here",
            "judge": in_expectation({G: (-R / (1 - γ), R / (1 - γ))}),
            "on": {"mdp": discounted_mdps(2, 2, rewards="any"), "θ": logits},
            "near_misses": {"a tenth of the rewards off": too_small},
            **options,
        },
    )
    def planted(mdp, θ, draws):
        """Planted."""
        π = softmax(θ)
        for round in range(rounds):
            seen = rollouts(mdp, π, horizon, draws.at(round))
        size = largest(abs(mdp.r), 2)
        yield {γ: mdp.discount, H: horizon, R: size, G: total(seen.rewards * seen.weights), V: value(mdp, π)}

    return planted


def value(mdp, π):
    return total(mdp.start * values(mdp, π))


# -- enumeration -------------------------------------------------------------------------------------------------------


def test_one_draw_is_enumerated_and_judged_in_exact_arithmetic():
    with as_printed():
        verdict = check(about_returns(at_least, horizon=1, near_misses={"too large": G >= V + R}), profile="quick")
    assert (verdict.word, verdict.level) == ("stands", 2)
    assert verdict.comparisons["balls"] + verdict.comparisons["rationals"] > 0


def test_the_enumerated_expectation_is_the_value():
    """Two arms, π = (1/2, 1/2), r = (1, 0): E G = 1/2, exactly."""
    from mdplab.theorem.sampled import pushed_forward

    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational(0)[()])
    (binding,) = pushed_forward(about_returns())(mdp=mdp, θ=rational([[0, 0]]))
    assert binding[G].overlaps(binding[V])
    assert abs(float(binding[G].mid()) - 0.5) < 1e-15


# -- races -------------------------------------------------------------------------------------------------------------


def test_two_draws_are_raced():
    judge = in_expectation({G: (-R / (1 - γ), R / (1 - γ))}, replicates=4096)
    named = {"coin": coin(0.4)}
    with as_printed():
        claim, miss = G <= V + R / 4, G <= V - R / 4
    verdict = check(
        about_returns(claim, rounds=2, judge=judge, named=named, near_misses={"lower": miss}, on=coins), profile="quick"
    )
    assert (verdict.word, verdict.level) == ("stands", 1)
    assert verdict.comparisons["races"] > 0
    assert verdict.replicates > 0


def test_a_planted_false_mean_is_refuted_by_a_race_and_replayed(tmp_path):
    with as_printed():
        false = G <= V - R / 8
    judge = in_expectation({G: (-R / (1 - γ), R / (1 - γ))}, replicates=8192)
    planted = about_returns(false, rounds=2, judge=judge, named={"coin": coin(0.5)})
    verdict = check(planted, profile="quick")
    assert verdict.word == "refuted"
    assert verdict.worst.draws["replicates"] > 0
    object.__setattr__(planted, "file", tmp_path / "planted.py")
    for file in save(tmp_path, planted, verdict):
        data = json.loads(file.read_text())
        assert data["draws"]["seed"] == 0


def test_a_claim_that_holds_with_equality_stays_undecided_and_says_what_is_known():
    with as_printed():
        equal = G <= V
    judge = in_expectation({G: (-R / (1 - γ), R / (1 - γ))}, replicates=2048)
    verdict = check(
        about_returns(equal, rounds=2, horizon=1, judge=judge, named={"coin": coin(0.5)}, on=coins), profile="quick"
    )
    assert verdict.word == "undecided"
    assert verdict.margin["low"] < 0 < verdict.margin["high"]
    assert "lies in [" in verdict.reason


def test_what_the_declared_ranges_imply_says_nothing():
    with as_printed():
        implied = 2 * R / (1 - γ) >= G
    verdict = check(about_returns(implied, rounds=2, on=coins, named={"coin": coin(0.5)}), profile="quick")
    assert verdict.word == "vacuous"


def test_races_share_their_error_probability_however_many_there_are():
    shares = [ALPHA / (i * (i + 1)) for i in range(1, 10**5)]
    assert sum(shares) < ALPHA


def test_a_verdict_does_not_depend_on_how_replicates_are_portioned(monkeypatch):
    with as_printed():
        claim, miss = G <= V + R / 10, G <= V - R / 10
    planted = about_returns(claim, rounds=2, named={"coin": coin(0.3)}, near_misses={"lower": miss}, on=coins)
    before = check(planted, profile="quick").to_json()
    monkeypatch.setattr(sampled, "PORTION", 100)
    monkeypatch.setattr(sampled, "LARGEST", 300)
    assert check(planted, profile="quick").to_json() == before


def test_worker_count_does_not_change_a_byte():
    theorems = [x for x in collect([]) if x.is_random][:3]
    assert theorems

    def verdicts(workers):
        found = {x.id: verdict.to_json() for x, verdict, _ in verify(theorems, Settings("quick"), workers)}
        return json.dumps([found[x.id] for x in theorems])

    assert verdicts(1) == verdicts(2)


# -- probabilities -----------------------------------------------------------------------------------------------------


def concentration(claim, **options):
    """Hoeffding's inequality for the mean of 40 returns."""

    @theorem(
        claim,
        **{
            "cite": "test",
            "at": "here",
            "judge": with_probability(1 - δ, replicates=16384),
            "on": coins,
            "named": {"coin": coin(0.5)},
            "near_misses": {"a fifth of it": sqrt(log(1 / δ) / (2 * n)) / 5 >= G - V},
            **options,
        },
    )
    def hoeffding(mdp, θ, draws):
        """Planted."""
        π = softmax(θ)
        seen = rollouts(mdp, π[None], 1, draws.samples(40))
        yield {n: 40, δ: 0.05, G: seen.rewards[..., 0].mean(axis=-1), V: value(mdp, π)}

    return hoeffding


def test_a_bound_with_high_probability_stands_and_its_near_miss_falls():
    with as_printed():
        verdict = check(concentration(sqrt(log(1 / δ) / (2 * n)) >= G - V), profile="quick")
    assert verdict.word == "stands"
    assert verdict.tightness is None or verdict.tightness.ratio < 1


def test_a_bound_that_fails_too_often_is_refuted():
    with as_printed():
        verdict = check(concentration(Rational(1, 2) * sqrt(log(1 / δ) / (2 * n)) >= G - V), profile="quick")
    assert verdict.word == "refuted"


def test_all_iterates_of_a_replicate_must_hold_jointly():
    """Twenty fair coins one after another: each shows heads with probability 1/2, one of them almost surely."""

    def measure(mdp, θ, draws):
        """Planted."""
        for i in range(20):
            yield {k: i, δ: 0.6, G: draws.at(i).uniforms("coin", 1)[:, 0] < 0.5}

    with as_printed():
        claim = G <= 0
    jointly = theorem(
        claim, cite="test", at="here", judge=with_probability(1 - δ, jointly=k), on=coins, named={"coin": coin(0.5)}
    )(measure)
    assert check(jointly, profile="quick").word == "refuted"


# -- mistakes in theorem files -----------------------------------------------------------------------------------------


def test_a_number_outside_its_declared_range_is_an_error():
    judge = in_expectation({G: (0, R / 2)})
    with pytest.raises(TheoremError, match=r"G is 1 at iterate 0 .* outside its declared range \[0, 0.5"):
        check(about_returns(rounds=2, judge=judge, named={"coin": coin(0.5)}), profile="quick")


def test_a_random_number_without_a_range_is_an_error():
    judge = in_expectation({V: (0, R)})
    with pytest.raises(TheoremError, match="G differs between replicates at iterate 0"):
        check(about_returns(rounds=2, judge=judge, named={"coin": coin(0.5)}), profile="quick")


@pytest.mark.parametrize("replicates", [0, -5])
def test_races_without_replicates_are_refused(replicates):
    for judge in (in_expectation, with_probability):
        with pytest.raises(TheoremError, match=f"replicates is {replicates}; a race takes at least 1"):
            judge({G: (0, R)} if judge is in_expectation else 1, replicates=replicates)


def test_a_range_that_differs_between_replicates_is_an_error():
    judge = in_expectation({G: (-R, R + V)})

    @theorem(G <= R / 2, cite="test", at="here", judge=judge, on=coins, named={"coin": coin(0.5)})
    def ranged(mdp, θ, draws):
        """Planted."""
        u = draws.uniforms("coin", 1)[:, 0]
        yield {G: u, R: 1 + 0 * mdp.discount, V: u}

    with pytest.raises(TheoremError, match="the range of G differs between replicates at iterate 0"):
        check(ranged, profile="quick")


def test_a_claim_that_is_not_linear_in_the_random_number_is_refused():
    with as_printed(), pytest.raises(TheoremError, match="about means and not linear in G and G"):
        about_returns(G**2 <= V)


def test_the_measure_and_the_judge_must_agree_on_randomness():
    with pytest.raises(TheoremError, match="takes no parameter `draws`"):
        theorem(truncated, cite="t", at="h", judge=in_expectation({G: (0, 1)}), on={"mdp": discounted_mdps()})(
            lambda mdp: iter(())
        )


def test_draws_are_the_same_alone_and_in_a_crowd():
    crowd = Draws(3, np.arange(100), 7).at(2).uniforms("path", 5)
    alone = Draws(3, np.arange(40, 41), 7).at(2).uniforms("path", 5)
    assert (crowd[40] == alone[0]).all()
