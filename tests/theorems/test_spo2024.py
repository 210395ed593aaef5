"""What the engine cannot know about theorems/spo2024.py: three arms by hand."""

from mdplab.arrays import rational_number
from mdplab.instances import two_armed_bandit
from theorems import spo2024


def test_a_ratio_leaves_the_interval_where_an_advantage_is_small():
    """Advantages (35, −65, −15)/100 of π = (.6, .3, .1): with ratios of 1 ± ε the sum is 1.04; the third gives way."""
    (binding,) = spo2024.every_ratio(**spo2024.small_advantage())
    distance = binding[spo2024.distance][0]
    assert distance[2] > distance[1] > rational_number("1/5") > distance[0]


def test_ratios_of_the_three_arms_by_hand():
    """r = 1 + ε (A − c)/|A|, and Σ π r = 1 where c Σ π/|A| = Σ π sign A = .6 − .4; all ratios stay positive."""
    (binding,) = spo2024.rms(**spo2024.small_advantage())
    π, A, ε = (0.6, 0.3, 0.1), (0.35, -0.65, -0.15), 0.2
    c = 0.2 / sum(p / abs(x) for p, x in zip(π, A, strict=True))
    r = [1 + ε * (x - c) / abs(x) for x in A]
    assert abs(sum(p * x for p, x in zip(π, r, strict=True)) - 1) < 1e-15
    spread = sum(p * abs(x) * (y - 1) ** 2 for p, x, y in zip(π, A, r, strict=True))
    found = binding[spo2024.spread][0]
    assert abs(float(found.p) / float(found.q) - spread) < 1e-15
    assert binding[spo2024.size][0] == rational_number("42/100")


def test_a_point_of_the_parabola_by_hand():
    """r = 3/2, A = 1, ε = 1/5: 3/2 − 5/2 · 1/4 = 7/8, and 1 + 1/10 − 5/2 · (3/10)² = 7/8."""
    inputs = (two_armed_bandit(), rational_number("3/2"), rational_number(1), rational_number("1/5"))
    ((_, left, right),) = spo2024.point.trace(*inputs)
    assert left == right == rational_number("7/8")


def test_a_step_aside_by_hand():
    """From (1/2, 1/2) to (3/4, 1/4): ratios 3/2 and 1/2, on average 1/2 from one; a total variation of 1/4."""
    ((b, left, right),) = spo2024.tv.trace(**spo2024.step_aside())
    assert b[spo2024.mean_ratio] == rational_number("1/2")
    assert left == right == rational_number("1/4")
