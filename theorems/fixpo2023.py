"""Zentner et al. (2023), Guaranteed Trust Region Optimization via Two-Phase KL Penalization (FixPO)."""

from functools import partial

from mdplab.arrays import largest, rational, rational_number, sup
from mdplab.exact import advantages, divergence, improvement, surrogate_gain
from mdplab.instances import Family, discounted_mdps, families, numbers, policies
from mdplab.models import bandit
from mdplab.solvers import fixpo
from mdplab.theorem import Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "number of updates", integer=True)
radius = Quantity(r"\epsilon_{\mathrm{KL}}", "size of the trust region", accuracy="exact")
kl = Quantity(r"\max_s \mathrm{KL}(\pi_k \Vert \pi_{k+1})", "largest divergence in a state", accuracy="relative")
gain = Quantity(r"\eta(\pi_{k+1}) - \eta(\pi_k)", "what the update gains at the start")
promised = Quantity(r"L_{\pi_k}(\pi_{k+1}) - \eta(\pi_k)", "what the surrogate promises")
ε = Quantity(r"\epsilon", "largest |A^π(s, a)|")

with as_printed():
    inside = kl <= radius
    inside_half = kl <= radius / 2
    bounded_loss = promised - gain <= 2 * ε * γ / (1 - γ) ** 2 * radius

small = tuple(
    Family(f"{name}:S={S},A={A}", partial(families.by_name[name], S=S, A=A))
    for name, S, A in (("garnet", 2, 2), ("deterministic", 4, 3), ("sparse", 3, 3))
)


def with_fixup(mdp, π, ε_KL):
    """Both phases."""
    return fixpo(mdp, π, radius=ε_KL)


def without_fixup(mdp, π, ε_KL):
    """The main phase alone."""
    return fixpo(mdp, π, radius=ε_KL, fixup="none")


def on_average(mdp, π, ε_KL):
    """A fixup phase that ends when the mean over the states is within the radius."""
    return fixpo(mdp, π, radius=ε_KL, fixup="mean")


def three_arms():
    """Rewards 1, 1/2 and 0 and the uniform policy; the main phase goes too far."""
    third = rational([["1/3", "1/3", "1/3"]])
    return {"mdp": bandit(rational([1, "1/2", 0])), "π": third, "ε_KL": rational_number("1/20")}


@theorem(
    {"guarantee": inside, "loss": bounded_loss},
    cite="fixpo2023",
    at="Algorithm 1, the fixup phase",
    source="derived",
    judge=for_all(k, up_to=2, exactly_up_to=0),
    on={
        "mdp": discounted_mdps(rewards="any", families=small),
        "π": policies,
        "ε_KL": numbers("1/100", "1/2"),
    },
    named={"three arms": three_arms},
    near_misses={
        "no fixup phase": {"solver": without_fixup},
        "the mean divergence within the radius": {"solver": on_average},
        "half the radius": inside_half,
    },
    uses=["trpo2015.thm1_kl"],
    note="Every state is in the batch; of states that are not, nothing is promised.",
)
def guarantee(mdp, π, ε_KL, *, solver=with_fixup):
    """After the fixup phase no state in the batch is further away than allowed, so the surrogate can be trusted."""
    steps = solver(mdp, π, ε_KL)
    now = next(steps)
    for then in steps:
        yield {
            γ: mdp.discount,
            k: now.k,
            radius: ε_KL,
            kl: largest(divergence(now.π, then.π)),
            gain: improvement(mdp, now.π, then.π),
            promised: surrogate_gain(mdp, now.π, then.π),
            ε: sup(advantages(mdp, now.π), 2),
        }
        now = then
