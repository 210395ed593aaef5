"""Numbers of the experiments on controllers, Polyak steps and exit times."""

import numpy as np
import pytest

from experiments import hamd2023_repurchase, hamd2023_variance, li2024_step_sizes, zaki2022_queue


def test_the_best_mixture_of_equal_queues_is_even_and_is_found_with_short_steps_only():
    data = zaki2022_queue.measure("2/5 2/5", updates=300)
    assert float(data.w[int(data.value.argmax("w"))]) == 0.5
    assert float(data.best) == pytest.approx(17.4333, abs=6e-5)
    last = data.weight.isel(k=-1)
    assert float(last.sel(step="0.05")) == pytest.approx(0.5, abs=1e-3)
    assert abs(float(last.sel(step="1")) - 0.5) > 0.1


def test_polyak_steps_need_a_dozen_updates_where_constant_ones_need_a_hundred():
    data = li2024_step_sizes.measure("uniform", 3, copies=20, updates=400)
    median = data.gap.median("copy")
    assert float(median.sel(rule="Polyak, c = 1", k=11)) < 1e-4
    assert float(median.sel(rule="constant, 2/β", k=11)) > 1e-3
    assert np.isfinite(data.gap.sel(rule="constant, 2/5")).all()


def test_each_critic_saves_variance_from_the_first_policy_on():
    """At equal probabilities: the four numbers in the order of the legend, and the same gradient behind them."""
    found = [float(hamd2023_variance.measure(form, updates=1).variance[0]) for form in hamd2023_variance.FORMS]
    payoff, critic, baseline, differences = found
    assert critic < payoff
    assert differences < baseline < payoff


def test_shared_logits_buy_back_shares_sooner_and_then_less_well():
    gap = {logits: hamd2023_repurchase.measure(logits, updates=500).gap for logits in hamd2023_repurchase.COLOURS}
    known, shared = gap["each day"], gap["all days alike"]
    assert float(known[0]) == float(shared[0])
    assert float(shared.sel(k=10)) < float(known.sel(k=10))
    assert float(shared[-1]) > 0.25 > float(known[-1])


@pytest.mark.parametrize(
    ("rates", "always", "mixed", "best"),
    [
        ("2/5 2/5", (12.2326, 12.2326), (15.0696, 0.50), 17.4333),
        ("3/10 2/5", (12.4226, 12.9205), (16.0677, 0.44), 18.0572),
        ("1/5 3/5", (11.7944, 13.6233), (15.6003, 0.27), 17.6662),
    ],
)
def test_the_queues_have_the_values_that_another_program_found(rates, always, mixed, best):
    """Always serving one queue, the best mixture on a grid of hundredths, and the best policy, to the digits given."""
    data = zaki2022_queue.measure(rates, updates=1)
    assert (float(data.value[-1]), float(data.value[0])) == pytest.approx(always, abs=6e-5)
    top = int(data.value.argmax("w"))
    assert (float(data.value[top]), float(data.w[top])) == pytest.approx(mixed, abs=6e-5)
    assert float(data.best) == pytest.approx(best, abs=6e-5)
