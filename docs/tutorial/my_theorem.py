"""How much can a wrong reward table change the optimal values?"""

from dataclasses import replace

from mdplab.arrays import rational, sup
from mdplab.exact import optimum
from mdplab.instances import discounted_mdps, one_state_loop, values
from mdplab.theorem import Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
change = Quantity(r"\lVert w \rVert_\infty", "largest change of a reward", accuracy="exact")
effect = Quantity(r"\lVert V^*_{r + w} - V^*_r \rVert_\infty", "largest change of an optimal value")

with as_printed():
    bound = effect <= change / (1 - γ)
    without_the_horizon = effect <= change
    one_step_late = effect <= γ * change / (1 - γ)


@theorem(
    bound,
    cite="folklore",
    at="a corollary of the contraction of the Bellman operator",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "w": values},
    named={"one state, its reward raised by 1": lambda: {"mdp": one_state_loop(), "w": rational([1])}},
    near_misses={"without the horizon": without_the_horizon, "one step late": one_step_late},
)
def reward_perturbation(mdp, w):
    """Changing the rewards of each state by w(s) changes no optimal value by more than max |w| / (1 − γ)."""
    changed = replace(mdp, r=mdp.r + w[..., None])
    yield {
        γ: mdp.discount,
        change: sup(w),
        effect: sup(optimum(changed).v - optimum(mdp).v),
    }
