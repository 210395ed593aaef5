from xml.etree import ElementTree

import pytest

from mdplab.report.mathematics import mathml, mathtext, plain, pretty, tidy
from mdplab.theorem.collect import collect


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\lVert v_k - v^\star \rVert_\infty", "‖vₖ − v*‖_∞"),
        (r"V^*(\mu) - V^{\pi_t}(\mu)", "V*(μ) − V^(πₜ)(μ)"),
        (r"\inf_{t \ge 1} \min_s \pi_{\theta_t}(a^*(s)|s)", "inf_(t≥1) minₛ π_(θₜ)(a*(s)|s)"),
        (r"\left\lVert \frac{d^{\pi^*}_\rho}{\mu} \right\rVert_\infty", "‖d^(π*)_ρ/μ‖_∞"),
        (r"\tilde V^*(\rho)", "V\u0303*(ρ)"),
        (r"-\eta", "−η"),
        (r"r(s,a) \in [0, 1]", "r(s, a) ∈ [0, 1]"),
        (r"\mathbb{E}[x^{-2}]", "𝔼[x⁻²]"),  # noqa: RUF001
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\sqrt{S}", "√S"),
    ],
)
def test_latex_reads_as_one_line_of_unicode(latex, text):
    assert plain(latex) == text


def test_a_statement_is_drawn_in_two_dimensions_where_it_fits(theorems):
    relation = theorems["contraction"].claims[""].relation
    text = pretty(relation, 80)
    assert "─" in text
    assert "‖vₖ − v*‖_∞ ≤" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_statement_too_wide_is_broken_at_its_sign_and_then_put_on_one_line(theorems):
    relation = theorems["sublinear"].claims[""].relation
    whole = max(map(len, pretty(relation, 200).splitlines()))
    broken = pretty(relation, whole - 1)
    assert broken.splitlines().count("  ≤") == 1
    assert pretty(relation, 10).count("\n") == 0


def test_brackets_around_a_norm_go_and_others_stay():
    assert tidy(r"\left(\lVert x \rVert_2\right)^{2}") == r"\lVert x \rVert_2^{2}"
    assert tidy(r"\left(\bigl\lVert x \bigr\rVert_\infty\right)^{2}") == r"\bigl\lVert x \bigr\rVert_\infty^{2}"
    assert tidy(r"\left(1 - \gamma\right)^{6}") == r"\left(1 - \gamma\right)^{6}"


def test_what_matplotlib_cannot_draw_is_told():
    assert mathtext(r"\begin{cases} a \end{cases}") is None
    assert mathtext(r"\lVert x \rVert \le \tfrac12") == r"$\| x \| \leq \frac{1}{2}$"
    assert mathtext(r"e^{\sqrt2 x}") == r"$e^{\sqrt{2} x}$"


def test_every_statement_of_the_catalogue_is_shown_everywhere():
    for x in collect([]):
        for claim in x.claims.values():
            ElementTree.fromstring(mathml(claim.latex, block=True))
            assert "\\" not in plain(claim.latex), x.id
            assert "\\" not in pretty(claim.relation), x.id
            assert mathtext(claim.latex) is not None, x.id
        for letter in (*x.quantities, *x.given):
            name = getattr(letter, "name", None) or letter.latex
            ElementTree.fromstring(mathml(name))
            assert "\\" not in plain(name), x.id
