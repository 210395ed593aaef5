"""Fisher matrices against their definition, pseudo-inverses against Penrose's four equations."""

import array_api_strict
import numpy as np

from mdplab.arrays import rational, softmax
from mdplab.exact import fisher, fisher_pseudo_inverse, natural_gradient, occupancy, softmax_gradient


def policies(*batch):
    """Rational policies, some of which never take some actions."""
    return rational(np.random.default_rng(3).multinomial(8, [0.6, 0.3, 0.1], size=(*batch, 4))) / 8


def test_fisher_is_the_expected_square_of_the_score(draw):
    """∇log π(a | s) = e_a − π_s, averaged over a ~ π_s and s ~ d^π."""
    mdp, π = draw(0, (2,)).exact(), policies(2)
    F, d = fisher(mdp, π), occupancy(mdp, π)
    for i in np.ndindex(2, 4):
        scores = rational(np.eye(3, dtype=int)) - π[i]
        assert (F[i] == d[i] * sum(π[(*i, a)] * np.outer(scores[a], scores[a]) for a in range(3))).all()


def test_the_pseudo_inverse_satisfies_the_equations_of_penrose(draw):
    mdp, π = draw(1, (2, 3)).exact(), policies(2, 3)
    assert (π == 0).any()
    F, G = fisher(mdp, π), fisher_pseudo_inverse(mdp, π)
    assert (F @ G @ F == F).all()
    assert (G @ F @ G == G).all()
    assert (np.swapaxes(F @ G, -1, -2) == F @ G).all()
    assert (np.swapaxes(G @ F, -1, -2) == G @ F).all()


def test_a_state_never_visited_has_a_pseudo_inverse_of_zero(draw):
    mdp = draw(2).exact()
    stay = mdp.P * 0
    stay[..., 0] = 1  # every action leads to state 0, where the start is too
    mdp = type(mdp)(stay, mdp.r, mdp.discount, rational([1, 0, 0, 0]))
    assert (fisher_pseudo_inverse(mdp, policies())[1:] == 0).all()


def test_the_natural_gradient_is_the_pseudo_inverse_times_the_gradient_up_to_constants(draw):
    mdp, π = draw(3).exact(), rational([[2, 3, 3], [1, 1, 6], [4, 2, 2], [1, 3, 4]]) / 8
    by_matrix = (fisher_pseudo_inverse(mdp, π) @ softmax_gradient(mdp, π)[..., None])[..., 0]
    difference = natural_gradient(mdp, π) - by_matrix
    assert (difference == difference[:, :1]).all()


def test_any_array_namespace_will_do(draw, logits):
    mdp = draw(4, (2,))
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    π = softmax(logits(0, mdp))
    x = array_api_strict.asarray(π)
    F, G = np.asarray(fisher(strict, x)), np.asarray(fisher_pseudo_inverse(strict, x))
    assert abs(F - fisher(mdp, π)).max() <= 1e-15
    # 1/(d π) reaches some hundreds here, and NumPy's own pseudo-inverse cuts at 1e-15 of the largest singular value.
    assert abs(G - np.linalg.pinv(F, hermitian=True)).max() <= 1e-15 * np.linalg.norm(G, axis=(-2, -1)).max() ** 2
    assert abs(np.asarray(natural_gradient(strict, x)) - natural_gradient(mdp, π)).max() <= 1e-13
