"""Wei, Lee, Zhang, Luo (2021), Linear last-iterate convergence in constrained saddle-point optimization.

Optimistic gradient descent and ascent on a matrix game over two simplices.  The theorem and its constants are from
memory; what stands here is derived, see the card.  ẑ is the point from which z looks ahead, F(z) = (M y, −Mᵀ x), and L
is bounded by the largest sum of |M| over a row or a column.
"""

from itertools import pairwise

import numpy as np
from sympy import Rational

from mdplab.arrays import is_exact, maximum, rational, rational_number, total
from mdplab.instances import Domain, numbers
from mdplab.solvers import optimistic_gradient
from mdplab.theorem import Quantity, as_printed, for_all, theorem

t = Quantity("t", "updates", integer=True)
η = Quantity(r"\eta", "step size, at most 1 / (8L)", accuracy="exact")
Θ = Quantity(
    r"\Theta_t",
    "squared distance of ẑ from a saddle point, and a sixteenth of that of ẑ from the z before",
    accuracy="relative",
)
Θ_next = Quantity(r"\Theta_{t+1}", "the same one update later", accuracy="relative")
Θ_first = Quantity(r"\Theta_0", "the same at the start", accuracy="relative")
ζ = Quantity(
    r"\left(\|\hat z_{t+1} - z_t\|^2 + \|z_t - \hat z_t\|^2\right)", "what the update moves", accuracy="relative"
)

# -- Games whose saddle point is known ---------------------------------------------------------------------------------


def _draw_matrix():
    from hypothesis import strategies as st

    entry = st.sampled_from([0, 1, -1, "1/2", "-1/3", 2])

    def filled(shape):
        n = shape[0] * shape[1]
        return st.lists(entry, min_size=n, max_size=n).map(lambda x: rational(x).reshape(shape))

    return st.tuples(st.integers(2, 3), st.integers(2, 3)).flatmap(filled)


def _draw_side(axis):
    def draw(matrix):
        from mdplab.instances import strategies

        return strategies.distributions(matrix.shape[axis])

    return draw


def _draw_fines(matrix):
    from hypothesis import strategies as st

    entry, n = st.sampled_from([0, "1/2", 1]), matrix.shape[0]
    return st.lists(entry, min_size=n, max_size=n).map(rational)


def _uniform(axis):
    return lambda matrix: rational([1] * matrix.shape[axis]) / matrix.shape[axis]


matrices = Domain(_draw_matrix)
rows, columns = Domain(_draw_side(0), simplest=_uniform(0)), Domain(_draw_side(1), simplest=_uniform(1))
fines = Domain(_draw_fines, simplest=lambda matrix: rational([0] * matrix.shape[0]))


def with_saddle_at(matrix, x, y, fines):
    """The game M − M y 1ᵀ − 1 xᵀM + (xᵀM y) 1 1ᵀ + f 1ᵀ, of which (x, y) is a saddle point.

    Against y every row then costs its fine f, and against x every column pays nothing; only rows that x does not
    use are fined.
    """
    fined = fines * np.where(np.asarray(x == 0, dtype=bool), 1, 0)
    My, xM = matrix @ y, x @ matrix
    return matrix - My[:, None] - xM[None, :] + x @ My + fined[:, None]


def row_or_column(M):
    """The largest sum of |M| over a row or a column, or one for the game of zeros: at least L."""
    found = max(max(abs(M).sum(axis=0)), max(abs(M).sum(axis=1)))
    return found + int(found == 0)


def squared(*differences):
    """Σ ‖d‖²."""
    return sum(total(d * d) for d in differences)


def short_step(M, share):
    return share / (8 * row_or_column(M))


def long_step(M, share):
    """A mistake: thirty-two times as long."""
    return 32 * short_step(M, share)


def without_looking_ahead(M, x, y, *, step_size):
    """A mistake: plain descent and ascent."""
    return optimistic_gradient(M, x, y, step_size=step_size, look_ahead=False)


def potentials(M, x, y, saddle, step, solver):
    """(t, Θ_t, iterate, next iterate) along a run."""
    before = None
    for it, after in pairwise(solver(M, x, y, step_size=step)):
        last = it if before is None else before
        Θ_now = squared(it.x_base - saddle[0], it.y_base - saddle[1])
        yield it.k, Θ_now + squared(it.x_base - last.x, it.y_base - last.y) / 16, it, after
        before = it


def moved(it, after):
    """ζ_t."""
    return squared(after.x_base - it.x, after.y_base - it.y, it.x - it.x_base, it.y - it.y_base)


# -- One update --------------------------------------------------------------------------------------------------------

with as_printed():
    descends = Θ_next <= Θ - Rational(15, 16) * ζ
    descends_twice = Θ_next <= Θ - 2 * ζ


def pennies():
    """Matching pennies, from an uneven start, with the longest step."""
    return {
        "matrix": rational([[1, -1], [-1, 1]]),
        "x_star": rational(["1/2", "1/2"]),
        "y_star": rational(["1/2", "1/2"]),
        "x": rational(["3/4", "1/4"]),
        "y": rational(["1/3", "2/3"]),
        "share": rational_number(1),
    }


game_inputs = {
    "matrix": matrices,
    "x_star": rows,
    "y_star": columns,
    "fines": fines,
    "x": rows,
    "y": columns,
    "share": numbers("1/10", 1),
}


@theorem(
    descends,
    cite="wei2021",
    at="one update of the potential (from memory)",
    source="derived",
    judge=for_all(t, up_to=8, exactly_up_to=8),
    on=game_inputs,
    named={"matching pennies": pennies},
    near_misses={
        "twice what is moved": descends_twice,
        "without looking ahead": {"solver": without_looking_ahead},
        "thirty-two times the step": {"step_of": long_step},
    },
    note="Any saddle point will do, so the distance may be that from the set of all of them.",
)
def descent(matrix, x_star, y_star, fines, x, y, share, *, solver=optimistic_gradient, step_of=short_step):
    """With η ≤ 1/(8L) an optimistic update brings the potential down by 15/16 of what it moves, squared."""
    M = with_saddle_at(matrix, x_star, y_star, fines)
    run = potentials(M, x, y, (x_star, y_star), step_of(M, share), solver)
    for (k, now, it, after), (_, later, _, _) in pairwise(run):
        yield {t: k, Θ: now, Θ_next: later, ζ: moved(it, after)}


gain = Quantity(
    r"\left[F(\hat z_{t+1})^\top (\hat z_{t+1} - z')\right]_+",
    "what both players could gain together by moving from ẑ to z'",
    accuracy="relative",
)
length = Quantity(r"\|\hat z_{t+1} - z'\|^2", "squared distance to z'", accuracy="relative")
with as_printed():
    moves_enough = Rational(32, 81) * η**2 * gain**2 <= ζ * length
    moves_three_times = Rational(96, 81) * η**2 * gain**2 <= ζ * length


@theorem(
    moves_enough,
    cite="wei2021",
    at="what an update moves (from memory)",
    source="derived",
    judge=for_all(t, up_to=8, exactly_up_to=8),
    on={"matrix": matrices, "x": rows, "y": columns, "x_other": rows, "y_other": columns, "share": numbers("1/10", 1)},
    named={
        "one against the other": {
            "matrix": rational([[1, 0], [0, 0]]),
            "x": rational(["1/2", "1/2"]),
            "y": rational([1, 0]),
            "x_other": rational([0, 1]),
            "y_other": rational([1, 0]),
            "share": rational_number("1/10"),
        }
    },
    near_misses={"three times that": moves_three_times, "a tenth of the step": {"step_taken": lambda step: step / 10}},
    note="Any game, any z'.",
)
def moves(matrix, x, y, x_other, y_other, share, *, step_taken=lambda step: step):
    """Who could still gain much moves far: the more a deviation gains, the more an update moves."""
    step = short_step(matrix, share)
    for it, after in pairwise(optimistic_gradient(matrix, x, y, step_size=step_taken(step))):
        u, v = after.x_base - x_other, after.y_base - y_other
        both = total(u * (matrix @ after.y_base)) - total(v * (after.x_base @ matrix))
        yield {t: it.k, η: step, ζ: moved(it, after), gain: maximum(both, 0 * both), length: squared(u, v)}


# -- All updates -------------------------------------------------------------------------------------------------------

C = Quantity("C", "|c| ρ / 3, ρ the least probability of the saddle point", accuracy="exact")
no_ρ = Quantity(r"\lvert c \rvert", "scale of the game", accuracy="exact")
with as_printed():
    linear_claims = {
        "one update": (1 + Rational(5, 27) * η**2 * C**2) * Θ_next <= Θ,
        "all updates": Θ_first / (1 + Rational(5, 27) * η**2 * C**2) ** t >= Θ,
    }
    linear_faster = (1 + 10 * η**2 * no_ρ**2) * Θ_next <= Θ
    linear_faster_for_ever = Θ_first / (1 + 10 * η**2 * no_ρ**2) ** t >= Θ


def pair(x, y):
    """Two numbers as an array, exact where they are."""
    return np.asarray([x, y], dtype=object if is_exact(x) else float)


def two_by_two_game(p, q, scale):
    """c times ((1 − p)(1 − q), −(1 − p) q; −p (1 − q), p q): the only saddle point is (p, 1 − p), (q, 1 − q)."""
    return scale * np.outer(pair(1 - p, -p), pair(1 - q, -q))


def even_pennies():
    half = rational_number("1/2")
    return {"p": half, "q": half, "scale": rational_number(4), "first": rational_number("3/4"), "share": 2 * half}


@theorem(
    linear_claims,
    cite="wei2021",
    at="linear convergence of the last iterate, two actions each",
    source="derived",
    judge=for_all(t, up_to=24, exactly_up_to=24),
    on={
        "p": numbers("1/10", "9/10"),
        "q": numbers("1/10", "9/10"),
        "scale": numbers("1/2", 4),
        "first": numbers("1/10", "9/10"),
        "share": numbers("1/10", 1),
    },
    named={"matching pennies": even_pennies},
    near_misses={
        "much faster, an update": linear_faster,
        "much faster, for ever": linear_faster_for_ever,
        "without looking ahead": {"solver": without_looking_ahead},
    },
    uses=["wei2021.descent", "wei2021.moves"],
    note="Where the saddle point is unique and inside, the constant of the paper's condition can be read off.",
)
def linear(p, q, scale, first, share, *, solver=optimistic_gradient):
    """With two actions each, the last iterate of optimistic steps converges linearly, by a factor that is known.

    Both start with the same probability `first` of their first action.
    """
    M = two_by_two_game(p, q, scale)
    step, start = short_step(M, share), pair(first, 1 - first)
    ρ = min(p, 1 - p, q, 1 - q)
    begun = None
    saddle = (pair(p, 1 - p), pair(q, 1 - q))
    for (k, now, _, _), (_, later, _, _) in pairwise(potentials(M, start, start, saddle, step, solver)):
        begun = now if begun is None else begun
        yield {t: k, η: step, C: scale * ρ / 3, no_ρ: scale, Θ: now, Θ_next: later, Θ_first: begun}
