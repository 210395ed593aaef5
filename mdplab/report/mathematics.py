"""A statement's LaTeX as figures, browsers and terminals can show it."""

# ruff: noqa: RUF001, SIM905 (letters that look alike are what this file is about; tables read best as text)
from __future__ import annotations

import re
from functools import cache
from typing import Any

# -- figures -----------------------------------------------------------------------------------------------------------

_MATHTEXT = [
    (r"\\(mathcal|mathbb|mathrm|mathbf)\s+([a-zA-Z])", r"\\\1{\2}"),
    (r"\\(?:bigg|Bigg|big|Big)[lrm]?(?![a-zA-Z])", ""),
    (r"\\[lr]Vert(?![a-zA-Z])", r"\\|"),
    (r"\\[lr]vert(?![a-zA-Z])", "|"),
    (r"\\[td]?frac\s*(\w)\s*(\w)", r"\\frac{\1}{\2}"),
    (r"\\[td]frac(?![a-zA-Z])", r"\\frac"),
    (r"\\sqrt\s*(\d)", r"\\sqrt{\1}"),
    (r"\\le(?![a-zA-Z])", r"\\leq"),
    (r"\\ge(?![a-zA-Z])", r"\\geq"),
    (r"\\ne(?![a-zA-Z])", r"\\neq"),
    (r"\\(?:displaystyle|textstyle|limits|nolimits|!)(?![a-zA-Z])", ""),
]


@cache
def mathtext(latex: str, large: bool = False) -> str | None:
    """The LaTeX in the part of it that matplotlib draws, between dollars; None where it cannot.

    `large` fractions are as large as those in a line of their own.
    """
    from matplotlib.mathtext import MathTextParser

    latex = tidy(latex)
    for pattern, replacement in _MATHTEXT:
        latex = re.sub(pattern, replacement, latex)
    if large:
        latex = latex.replace(r"\frac", r"\dfrac")
    text = f"${latex}$"
    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return None
    return text


# -- browsers ----------------------------------------------------------------------------------------------------------

# SymPy puts a name that ends in a script into brackets before it squares it; a norm needs none.
_SQUARED_NORM = re.compile(
    r"\\left\(((?:\\left|\\[bB]igg?l?)?\\(?:lVert|Vert|\|)(?:(?!\\left\().)*?\\(?:rVert|Vert|\|)(?:_(?:\w|\\infty|\{[^{}]*\}))?)\\right\)\^"
)


def tidy(latex: str) -> str:
    """The LaTeX of a statement without brackets that say nothing."""
    return _SQUARED_NORM.sub(r"\1^", latex)


_LATEX2MATHML = [
    (r"\\star(?![a-zA-Z])", "*"),  # browsers' mathematical fonts draw ⋆ too small to be seen as an exponent
    (r"\\(?:bigg|Bigg|big|Big)[lrm]?(?![a-zA-Z])", ""),
    (r"\\[td]frac(?![a-zA-Z])", r"\\frac"),
]


@cache
def mathml(latex: str, block: bool = False) -> str:
    """The LaTeX as MathML, which browsers show without any script."""
    from latex2mathml.converter import convert

    latex = tidy(latex)
    for pattern, replacement in _LATEX2MATHML:
        latex = re.sub(pattern, replacement, latex)
    text = convert(latex, display="block" if block else "inline")
    # A bar or double bar would grow with its neighbours, and a norm's two bars stand too far apart as infix operators.
    return re.sub(
        r"<mo>(&#x02016;|&#x0007C;|\|)</mo>", r'<mo stretchy="false" form="prefix" lspace="0" rspace="0">\1</mo>', text
    )


# -- terminals ---------------------------------------------------------------------------------------------------------


@cache
def plain(latex: str) -> str:
    """The LaTeX of a quantity as one line of Unicode: ``\\lVert v_k - v^\\star \\rVert_\\infty`` is ‖vₖ − v*‖_∞."""
    return re.sub(r" +", " ", _Reader(tidy(latex)).group("")).strip()


def pretty(relation: Any, width: int = 80) -> str:
    """A SymPy relation in two dimensions, as wide as `width` allows: else one side a paragraph, else on one line."""
    printer = _pretty_printer()
    whole = printer.doprint(relation)
    if _width(whole) <= width:
        return _trimmed(whole)
    sides = [printer.doprint(side) for side in (relation.lhs, relation.rhs)]
    if all(_width(side) + 2 <= width for side in sides):
        return _trimmed(sides[0]) + f"\n  {_SIGNS.get(relation.rel_op, relation.rel_op)}\n" + _trimmed(sides[1])
    return line(relation)


def line(relation: Any) -> str:
    """A SymPy relation on one line."""
    from sympy import latex

    return plain(latex(relation, order="none"))


_SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


@cache
def _pretty_printer() -> Any:
    from sympy.printing.pretty.pretty import PrettyPrinter
    from sympy.printing.pretty.stringpict import prettyForm

    class Printer(PrettyPrinter):
        def _print_Quantity(self, q: Any) -> Any:
            text = plain(q.name)
            return prettyForm(text, binding=prettyForm.ADD if _is_sum(text) else prettyForm.ATOM)

        def _print_Max(self, e: Any) -> Any:
            return self._helper_print_function(e.func, e.args, func_name="max")

        def _print_Min(self, e: Any) -> Any:
            return self._helper_print_function(e.func, e.args, func_name="min")

    return Printer({"use_unicode": True, "wrap_line": False, "order": "none"})


def _width(text: str) -> int:
    return max(map(len, text.splitlines()))


def _trimmed(text: str) -> str:
    return "\n".join(row.rstrip() for row in text.splitlines())


_NAMES = """
alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ
nu ν xi ξ pi π rho ρ varrho ϱ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ
Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω ell ℓ lVert ‖ rVert ‖ Vert ‖ | ‖ lvert | rvert | vert | star * ast *
dagger † infty ∞ nabla ∇ partial ∂ sum Σ prod Π cdot · times × pm ± ldots … dots … cdots … top ᵀ langle ⟨ rangle ⟩
{ { } } forall ∀ exists ∃ colon : prime ′ circ ∘ odot ⊙
""".split()
_RELATIONS = "le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ in ∈ sim ~ to → approx ≈ ll ≪ mid |".split()
_NOTHING = "left right middle displaystyle textstyle limits ! big bigl bigr Big Bigl Bigr bigg biggl biggr".split()
_SYMBOLS = {
    **dict(zip(_NAMES[::2], _NAMES[1::2], strict=True)),
    **{name: f" {sign} " for name, sign in zip(_RELATIONS[::2], _RELATIONS[1::2], strict=True)},
    **dict.fromkeys(_NOTHING, ""),
    **dict.fromkeys([",", ";", ":", " ", "quad"], " "),
}
_ACCENTS = {"bar": "\u0304", "overline": "\u0304", "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303"}
_ACCENTS |= {"widetilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
_BLACKBOARD = {"E": "𝔼", "P": "ℙ", "R": "ℝ", "N": "ℕ", "1": "𝟙", "H": "ℍ"}
_WORDS = ("max", "min", "sup", "inf", "log", "exp", "arg", "det", "lim", "argmax", "argmin", "ln", "Pr")
_RAISED = dict(zip("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ", strict=True))
_LOWERED = dict(zip("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))


class _Reader:
    """Reads LaTeX from left to right; as in LaTeX, blanks mean nothing and operators bring their own."""

    def __init__(self, latex: str) -> None:
        self.tokens = [x for x in re.findall(r"\\[a-zA-Z]+|\\.|[^\\]", latex) if not x.isspace()]
        self.at = 0

    def group(self, end: str) -> str:
        """Text up to the token `end`, or to the end of all."""
        out, after_word = "", False
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token == end:
                self.at += 1
                break
            if token in ("^", "_"):
                out += self.script(token)
                continue
            if after_word and token not in ("(", r"\left"):
                out += " "
            after_word = token[1:] in _WORDS
            out += self.one(begins=not out.strip() or out.rstrip().endswith(("(", ",", "=", "≤", "≥", "[", "|")))
        return out

    def script(self, token: str) -> str:
        self.at += 1
        inner = re.sub(r" ?([+−=≤≥∈~/]) ?", r"\1", self.argument().strip())
        if token == "^" and inner in ("*", "†", "′", "ᵀ"):
            return inner
        table = _RAISED if token == "^" else _LOWERED
        if inner and all(c in table for c in inner):
            return "".join(table[c] for c in inner)
        return f"{token}{inner}" if len(inner) == 1 else f"{token}({inner})"

    def argument(self) -> str:
        return self.one() if self.at < len(self.tokens) else ""

    def one(self, begins: bool = False) -> str:
        """The next letter, command or group; `begins`: a sign here is not between two terms."""
        token = self.tokens[self.at]
        self.at += 1
        if token == "{":
            return self.group("}")
        if token.startswith("\\"):
            return self.command(token[1:])
        if token in "+-" and begins:
            return token.replace("-", "−")
        return _OPERATORS.get(token, token)

    def command(self, name: str) -> str:
        if name in ("frac", "tfrac", "dfrac"):
            return "/".join(_bracketed(self.argument()) for _ in range(2))
        if name == "sqrt":
            return f"√{_bracketed(self.argument())}"
        if name in _ACCENTS:
            inner = self.argument()
            return inner[:1] + _ACCENTS[name] + inner[1:]
        if name == "mathbb":
            return "".join(_BLACKBOARD.get(c, c) for c in self.argument())
        if name.startswith(("math", "text", "operatorname", "bold")):
            return self.argument()
        return _SYMBOLS.get(name, name)


_OPERATORS = {"-": " − ", "+": " + ", "=": " = ", "<": " < ", ">": " > ", ",": ", ", "'": "′", "~": " "}


def _bracketed(text: str) -> str:
    text = text.strip()
    return f"({text})" if _is_sum(text) or "/" in text or re.search(r"[\w)]\(", text) else text


def _is_sum(text: str) -> bool:
    """Whether a sum, difference or quotient stands outside all brackets, so that a factor needs brackets around it."""
    bare = re.sub(r"‖[^‖]*‖|\|[^|]*\|", "", text)
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", bare)) != bare:
        bare = shorter
    return bool(re.search(r"[+−/]", bare))
