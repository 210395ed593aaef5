"""What the engine cannot know about theorems/wei2021.py: an update by hand, and that saddle points are ones."""

from itertools import islice, product

import numpy as np

from mdplab.arrays import rational, rational_number
from mdplab.solvers import optimistic_gradient
from theorems import wei2021 as paper


def test_two_steps_of_matching_pennies_by_hand():
    """x̂ = (3/4, 1/4) against the uniform y, η = 1/16: My = 0 and Mᵀx = (1/2, −1/2), so y_0 = 1/2 ± 1/32.

    Then M y_0 = ±1/16 and x̂_1 = x̂_0 ∓ 1/256, while ŷ_1 = y_0.  ζ_0 = 2/256² + 2/32², and no distance is lost yet.
    """
    M, x, y = rational([[1, -1], [-1, 1]]), rational(["3/4", "1/4"]), rational(["1/2", "1/2"])
    it, after = islice(optimistic_gradient(M, x, y, step_size=rational_number("1/16")), 2)
    assert it.y.tolist() == after.y_base.tolist() == rational(["17/32", "15/32"]).tolist()
    assert it.x.tolist() == x.tolist()
    assert after.x_base.tolist() == rational(["191/256", "65/256"]).tolist()
    assert paper.moved(it, after) == rational_number(2) / 256**2 + rational_number(2) / 32**2


def test_built_in_saddle_points_are_saddle_points():
    rng = np.random.default_rng(1)
    for n, m in product((2, 3), (2, 3)):
        M, fines = rational(rng.integers(-3, 4, (n, m))), rational(rng.integers(0, 2, n))
        x, y = rational([1] + [0] * (n - 1)), rational([1] * m) / m
        game = paper.with_saddle_at(M, x, y, fines)
        assert ((x @ game) == 0).all()
        assert ((game @ y) >= 0).all()


def test_the_two_by_two_game_ties_every_answer_to_its_saddle_point():
    p, q = rational_number("1/3"), rational_number("3/4")
    game = paper.two_by_two_game(p, q, rational_number(2))
    assert (rational([p, 1 - p]) @ game == 0).all()
    assert (game @ rational([q, 1 - q]) == 0).all()


def test_plain_steps_go_away_from_matching_pennies():
    inputs = paper.even_pennies()
    first, *_, last = islice(paper.linear(**inputs, solver=paper.without_looking_ahead), 20)
    assert last[paper.Θ] > first[paper.Θ]
    first, *_, last = islice(paper.linear(**inputs), 20)
    assert last[paper.Θ] < first[paper.Θ]
