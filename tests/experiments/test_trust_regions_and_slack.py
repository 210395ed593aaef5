"""What the figures of the trust-region family and of the additional task say, on fewer models."""

import numpy as np

from experiments import hao2023_slack, trpo2015_family


def test_guaranteed_steps_are_short_and_never_hurt():
    data = trpo2015_family.measure("garnet", models=4, updates=20)
    for rule in ("CPI", "TRPO, penalty of the theorem"):
        assert (data.gap.sel(rule=rule).diff("k") <= 1e-12).all()
        assert data.step.sel(rule=rule).max() < 0.05
    clipped = data.sel(rule="clipped surrogate")
    assert clipped.gap.isel(k=5).max() < 1e-9  # policy iteration, nearly: on large steps
    assert clipped.step.isel(k=0).min() > 0.3


def test_slack_buys_gain_at_no_more_than_was_promised():
    few = [hao2023_slack.measure(slack, models=6, updates=300) for slack in (0.0, 0.3, 10.0)]
    for slack, data in zip((0.0, 0.3, 10.0), few, strict=True):
        assert (data.lost * (1 - hao2023_slack.DISCOUNT) <= slack + 1e-12).all()
    last = [float(np.nanmedian(data.gained.isel(k=-1))) for data in few]
    assert abs(last[0]) < 1e-9
    assert last[0] < last[1] < last[2] <= 1
