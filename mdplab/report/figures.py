"""Figures of a theorem: the measured quantity and its bound along the iterates, or side against side.

Measuring (`curves.measure`) and drawing are apart: a figure can be drawn anew from the data that `save` keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.errors import MdplabError
from mdplab.report import curves
from mdplab.report.mathematics import mathtext
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import Verdict

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by everybody; each role keeps its colour in all figures.
BLUE, VERMILION, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7f7f7f"
# Bounds are dashed in a darker shade, which is seen also where they lie on what they bound.
SHADES = {BLUE: "#003e61", VERMILION: "#7d3700", GREEN: "#005a42", PURPLE: "#7c3a5f", GREY: "#454545"}
COLOURS = {"worst": (VERMILION,), "counterexample": (VERMILION,), "named": (BLUE, GREEN, PURPLE), "model": (BLUE,)}
SUFFIXES = (".svg", ".png", ".pdf")
STYLE: dict[Any, Any] = {
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "font.family": "STIXGeneral",  # comes with matplotlib, so figures are the same everywhere
    "font.size": 10,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "mathtext.fontset": "stix",
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "mdplab",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


def convergence(
    theorem: Theorem,
    verdict: Verdict | None = None,
    *,
    model: tuple[str, Any] | None = None,
    seed: int = 0,
    up_to: int | None = None,
) -> tuple[Figure, xr.Dataset]:
    """The measured quantity with its bound over it, and the data.

    Parameters
    ----------
    verdict : Verdict, optional
        Its worst instance is drawn too.
    model : (name, model), optional
        A model to draw it on, instead of the theorem's own instances.
    up_to : int, optional
        Last index; the judge's by default.
    """
    samples = (
        curves.representatives(theorem, verdict, seed)
        if model is None
        else curves.on_model(theorem, model[0], model[1], seed)
    )
    data = curves.measure(theorem, samples, up_to, seed)
    return draw(data), data


def draw(data: xr.Dataset, ink: str = "black", paper: str = "white") -> Figure:
    """The figure of what `curves.measure` returns; one panel for each part of the statement."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    colours: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), ink
    )
    with rc_context({**STYLE, **colours, "axes.titlecolor": ink}):
        n = data.sizes["claim"]
        columns = min(n, 2)
        rows = -(-n // columns)
        figure = Figure(figsize=(5.2 if columns == 1 else 7.6, 0.5 + 3.0 * rows), layout="constrained")
        panels = [figure.add_subplot(rows, columns, 1 + i) for i in range(n)]
        pointwise = data.attrs["identity"] or not data.attrs["index_latex"] or data.sizes["k"] < 3
        for i, ax in enumerate(panels):
            panel = Panel.of(data, i)
            columns_of_legend = _scatter(ax, panel, ink) if pointwise else _lines(ax, panel, ink)
            if n > 1:
                ax.set_title(f"({data.claim.values[i]})", fontsize=10, loc="left")
            if i == 0:
                _legend(figure, columns_of_legend)
            for text in ax.texts:
                _halo(text, paper)
    return figure


def _legend(figure: Figure, columns: tuple[Entries, ...]) -> None:
    """Instances in one column, what the lines mean in the next."""
    from matplotlib.lines import Line2D

    rows = max(map(len, columns))
    entries = [x for column in columns for x in (*column, *[(Line2D([], [], alpha=0), "")] * (rows - len(column)))]
    handles, labels = zip(*entries, strict=True)
    figure.legend(handles, labels, loc="outside upper left", ncols=len(columns))


def _halo(text: Any, paper: str) -> None:
    from matplotlib.patheffects import withStroke

    text.set_zorder(6)
    text.set_path_effects([withStroke(linewidth=2.5, foreground=paper)])


# -- one panel ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Panel:
    """The data of one part of the statement; arrays are (k, instance)."""

    k: np.ndarray
    left: np.ndarray
    right: np.ndarray
    trivial: np.ndarray
    informative: np.ndarray
    low: np.ndarray  # between these lie most replicates; NaN where the sides are not means over replicates
    high: np.ndarray
    error: np.ndarray  # the standard error of right − left
    samples: list[tuple[str, str, np.ndarray]]  # name, role, columns
    left_latex: str
    right_latex: str
    flipped: bool
    attrs: dict[str, Any]

    @classmethod
    def of(cls, data: xr.Dataset, i: int) -> Panel:
        part, attrs = data.isel(claim=i), data.attrs
        left = part.left.values
        # What lies below rounding is noise and is not drawn.
        left = left if attrs["identity"] else np.where(abs(left) <= part.floor.values, np.nan, left)
        names = part["sample"].values.astype(str)
        samples = []
        for name in dict.fromkeys(names):
            columns = np.flatnonzero(names == name)
            samples.append((name, str(part.role.values[columns[0]]), columns))
        low, high, error = (
            part[x].values if x in part else np.full(left.shape, np.nan) for x in ("low", "high", "error")
        )
        return cls(
            part.k.values,
            left,
            part.right.values,
            part.trivial.values,
            part.informative.values > 0,
            low,
            high,
            error,
            samples,
            attrs["left_latex"].split("\n")[i],
            attrs["right_latex"].split("\n")[i],
            bool(np.atleast_1d(attrs["flipped"])[i]),
            attrs,
        )

    def styles(self) -> list[str]:
        """A colour for each sample."""
        used: dict[str, int] = {}
        out = []
        for _, role, _ in self.samples:
            palette = COLOURS.get(role, (GREY,))
            out.append(palette[used.get(role, 0) % len(palette)])
            used[role] = used.get(role, 0) + 1
        return out

    def band(self, columns: np.ndarray, positive: bool) -> tuple[np.ndarray, np.ndarray]:
        """Ends of where most replicates of a single instance lie, as long as `track`; empty where there are none."""
        seen = ~np.isnan(self.right[:, columns]).all(axis=1)
        low, high = (x[seen][:, columns[0]] for x in (self.low, self.high))
        if len(columns) > 1 or np.isnan(high).all():
            return np.zeros(0), np.zeros(0)
        return (np.maximum(low, NOTHING), np.maximum(high, NOTHING)) if positive else (low, high)

    def track(self, columns: np.ndarray, positive: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(k, left, right) of a sample where it has iterates; on a logarithmic axis nothing is below NOTHING."""
        seen = ~np.isnan(self.right[:, columns]).all(axis=1)
        left, right = self.left[seen][:, columns], self.right[seen][:, columns]
        if positive:
            left, right = (np.where(x > NOTHING, x, NOTHING) for x in (left, right))
        return self.k[seen], left, right


FEW = 12  # iterates that are drawn as points
BAND = 0.2  # opacity of the band around a mean
NOTHING = 1e-307  # drawn for what is zero or below rounding: outside of every figure
Entries = list[tuple[Any, str]]  # of a legend


def _lines(ax: Axes, panel: Panel, ink: str) -> tuple[Entries, ...]:
    from matplotlib.ticker import NullLocator

    main = next((c for _, role, c in panel.samples if role != "family"), panel.samples[0][2])
    track = _middle(panel.left[:, main])
    geometric = is_geometric(panel.k, track)
    positive = np.nanmin(panel.left, initial=np.inf) > 0 or (panel.left > 0).mean() > 0.5
    few = len(panel.k) <= FEW
    linear = geometric or (few and not _doubling(panel.k))
    ax.set_xscale("linear" if linear else "log")
    ax.set_yscale("log" if positive else "linear")
    entries: Entries = []
    for (name, role, columns), colour in reversed([*zip(panel.samples, panel.styles(), strict=True)]):
        entries = _one_sample(ax, panel, name, role, columns, colour, positive) + entries
    meaning = _explained(panel, ink) + _trivial(ax, panel, main, ink)
    _limits(ax, panel, main, geometric or few, positive)
    bottom = ax.get_ylim()[0]
    entries = [(line, text) for line, text in entries if not np.nanmax(line.get_ydata(), initial=-np.inf) < bottom]
    if few:
        ax.set_xticks(panel.k, [f"{k:.0f}" for k in panel.k])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.margins(x=0.04)
        ax.autoscale(axis="x")
    _first_informative(ax, panel, main, ink)
    if positive and geometric:
        _factor(ax, panel.k, track, ink)
    elif positive:
        # Where the curve has hardly begun to fall, the bound's own slope is worth knowing.
        _slope(ax, panel.k, track, ink) or _slope(ax, panel.k, _middle(panel.right[:, main]), ink)
    ax.set_xlabel(f"{mathtext(panel.attrs['index_latex']) or ''}  ({panel.attrs['index_meaning']})".strip())
    ax.set_ylabel(_label(panel.left_latex, 150, "what is measured"))
    return entries, meaning


def _doubling(k: np.ndarray) -> bool:
    """Whether indices grow by factors rather than by steps."""
    return len(k) > 2 and k[0] > 0 and bool((k[2:] - k[1:-1] > 1.5 * (k[1:-1] - k[:-2])).all())


def _label(latex: str, points: float, otherwise: str) -> str:
    """The formula, if it can be drawn and is not longer than the axis."""
    from matplotlib.mathtext import MathTextParser

    text = mathtext(latex, large=True)
    return otherwise if text is None or MathTextParser("path").parse(text, dpi=72).width * 10 / 12 > points else text


def _one_sample(
    ax: Axes, panel: Panel, name: str, role: str, columns: np.ndarray, colour: str, positive: bool
) -> Entries:
    k, left, right = panel.track(columns, positive)
    if len(columns) > 1:
        low, high = (f(left, axis=1) for f in (np.min, np.max))
        ax.fill_between(k, low, high, color=colour if role == "model" else GREY, alpha=0.22, linewidth=0)
    low, high = panel.band(columns, positive)
    if low.size:
        ax.fill_between(k, low, high, color=colour, alpha=BAND, linewidth=0)
    marker = "o" if len(panel.k) <= FEW else ""  # a curve may be one point
    (line,) = ax.plot(k, _drawn(np.median(left, axis=1)), color=colour, marker=marker, markersize=3.5, zorder=3)
    ax.plot(k, _drawn(np.median(right, axis=1)), color=SHADES[colour], linestyle=(0, (4, 2)), linewidth=1.2, zorder=4)
    words = {"worst": f"{name}, the tightest", "counterexample": f"{name}, the worst"}
    several = f"{name}:{chr(10) if len(name) > 36 else ' '}median and range of {len(columns)}"
    return [(line, several if len(columns) > 1 else words.get(role, name))]


def _drawn(x: np.ndarray) -> np.ndarray:
    return np.where(x == NOTHING, np.nan, x)


def _beside(panel: Panel, text: str) -> str:
    """The text for a legend's second column, in two lines if the first is wide."""
    return text.replace(" of ", "\nof ") if max(len(name) for name, *_ in panel.samples) > WIDE else text


WIDE = 20  # letters


def _explained(panel: Panel, ink: str) -> Entries:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    bound = mathtext(panel.right_latex)
    what = f"bound {bound}" if bound is not None and len(panel.right_latex) <= 60 else "bound"
    line: Any = Line2D([], [], color=ink)
    if np.isfinite(panel.high).any():
        line = (Patch(color=ink, alpha=BAND, linewidth=0), line)
    return [
        (line, _beside(panel, panel.attrs.get("line", "measured"))),
        (Line2D([], [], color=ink, linestyle=(0, (4, 2))), what),
    ]


def _trivial(ax: Axes, panel: Panel, main: np.ndarray, ink: str) -> Entries:
    trivial = _middle(panel.trivial[:, main])
    if np.isnan(trivial).all():
        return []
    seen = ~np.isnan(trivial)
    (line,) = ax.plot(panel.k[seen], trivial[seen], color=ink, linestyle=":", linewidth=1)
    text = mathtext(panel.attrs["trivial_latex"])
    return [(line, f"trivial bound {text}" if text else "trivial bound")]


def _first_informative(ax: Axes, panel: Panel, main: np.ndarray, ink: str) -> None:
    rows = np.flatnonzero(panel.informative[:, main].any(axis=1))
    if not panel.attrs["trivial_latex"] or not len(rows):
        return
    k = panel.k[rows[0]]
    low, high = ax.get_xlim()
    if not (low < k < high) or rows[0] == 0:
        return
    ax.axvline(k, color=ink, linewidth=0.6, alpha=0.6)
    letter = panel.attrs["index_latex"]
    name = mathtext(f"{letter} = {k:.0f}") or f"{k:.0f}"
    right = ax.transAxes.inverted().transform(ax.transData.transform((k, 1.0)))[0] > 0.4
    ax.annotate(
        f"informative from {name}",
        (k, 0.03),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if right else 3, 0),
        textcoords="offset points",
        ha="right" if right else "left",
        va="bottom",
        fontsize=9,
    )


def _limits(ax: Axes, panel: Panel, main: np.ndarray, geometric: bool, positive: bool) -> None:
    """All single and median curves; of bounds what lies within six orders of magnitude, and some of the main one."""
    k = panel.k[np.isfinite(panel.k) & (geometric | (panel.k > 0))]
    if len(k) and k.min() < k.max():
        ax.set_xlim(k.min(), k.max())
    if not positive:
        return
    middles = [np.median(x, axis=1) for _, _, c in panel.samples for x in panel.track(c, True)[1:]]
    inside = [panel.track(c, True)[0] > (-1 if geometric else 0) for _, _, c in panel.samples for _ in range(2)]
    drawn = [x[rows & (x > NOTHING) & np.isfinite(x)] for x, rows in zip(middles, inside, strict=True)]
    left, right = (np.concatenate(drawn[side::2]) for side in (0, 1))
    tops = np.concatenate([panel.band(c, True)[1] for *_, c in panel.samples])
    left = np.concatenate([left, tops[tops > NOTHING]])
    if not left.size:
        return
    low, high = left.min(), left.max()
    if tops.size:
        low = max(
            low, min(_ends(panel.left[:, main])[0], right.min(initial=np.inf)) / 1e3
        )  # a model of little chance is not to flatten the others
    if right.size:
        least, most = _ends(panel.right[:, main])
        low, high = (
            min(low, max(right.min(), min(low / 1e6, most / 30))),
            max(high, min(right.max(), max(high * 1e6, least * 30))),
        )
        if any(role == "model" for _, role, _ in panel.samples):
            high = max(high, min(right.max(), low * 1e20))  # one's own model: how far away the bound is, is the point
        low = max(low, min(right.min(), left.max()) / 1e12)  # what falls faster than any bound says no more after that
    ax.set_ylim(low / 2, high * 3)


def _ends(x: np.ndarray) -> tuple[float, float]:
    """Least and largest of the positive numbers."""
    x = _middle(x)
    x = x[np.isfinite(x) & (x > 0)]
    return (x.min(), x.max()) if x.size else (np.inf, 0.0)


def _slope(ax: Axes, k: np.ndarray, track: np.ndarray, ink: str) -> bool:
    """A triangle under the last decade of the curve with the exponent fitted there; whether there is one to draw."""
    seen = np.isfinite(track) & (track > 0) & (k > 0)
    if seen.sum() < 5:
        return False
    x, y = np.log10(k[seen]), np.log10(track[seen])
    last = x >= x[-1] - 1
    if last.sum() < 4 or x[-1] - x[last][0] < 0.5:
        return False
    slope, level = np.polyfit(x[last], y[last], 1)
    if abs(slope) < 0.05 or abs(np.polyval((slope, level), x[last]) - y[last]).max() > 0.15:
        return False
    a, b = x[-1] - 0.75, x[-1] - 0.3
    span = np.diff(np.log10(ax.get_ylim()))[0]
    ya, yb = (np.polyval((slope, level), z) - 0.05 * span for z in (a, b))
    corners = 10.0 ** np.array([(a, ya), (b, yb), (a, yb)])
    if corners[:, 1].min() < ax.get_ylim()[0]:
        return False
    ax.add_patch(_triangle(corners, ink))
    ax.annotate(
        f"${slope:.2f}$",
        (corners[0, 0], np.sqrt(corners[0, 1] * corners[2, 1])),
        xytext=(-3, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=9,
    )
    return True


def _triangle(corners: np.ndarray, ink: str) -> Any:
    from matplotlib.patches import Polygon

    return Polygon(corners, closed=True, fill=False, edgecolor=ink, linewidth=0.7)


def _factor(ax: Axes, k: np.ndarray, track: np.ndarray, ink: str) -> None:
    """The factor by which the last third of the curve shrinks at each iterate."""
    seen = np.flatnonzero(np.isfinite(track) & (track > 0))
    last = seen[-max(len(seen) // 3, 4) :]
    if len(last) < 4:
        return
    fit, logs = np.polyfit(k[last], np.log(track[last]), 1), np.log(track[last])
    if abs(np.polyval(fit, k[last]) - logs).max() > 0.05 * np.ptp(logs):
        return  # it shrinks faster and faster
    rate, middle = np.exp(fit[0]), last[len(last) // 2]
    left = k[middle] > 0.4 * k[-1]
    ax.annotate(
        rf"$\times\,{rate:.3g}$ at each step",
        (k[middle], track[middle]),
        xytext=(-6 if left else 6, -8),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        fontsize=9,
    )


def is_geometric(k: np.ndarray, y: np.ndarray) -> bool:
    """Whether a sequence decays by a factor at each step rather than by a power of k; told by its second half."""
    seen = np.flatnonzero(np.isfinite(y) & (y > 0) & (k > 0))
    if len(seen) < 8 or np.log10(y[seen[0]]) - np.log10(y[seen[-1]]) < 1:
        return False
    half = seen[k[seen] >= k[seen[-1]] / 4]
    if len(half) < 5:
        return False
    logs = np.log(y[half])

    def misfit(x: np.ndarray) -> float:
        return float(np.abs(np.polyval(np.polyfit(x, logs, 1), x) - logs).mean())

    return misfit(k[half]) < misfit(np.log(k[half]))


# -- side against side -------------------------------------------------------------------------------------------------


def _scatter(ax: Axes, panel: Panel, ink: str) -> tuple[Entries, ...]:
    smaller, larger = (panel.right, panel.left) if panel.flipped else (panel.left, panel.right)
    both = np.isfinite(smaller) & np.isfinite(larger)
    positive = both & (smaller > 0) & (larger > 0)
    log = positive.sum() > 0.8 * both.sum() and _decades(smaller[positive], larger[positive]) > 1
    keep = positive if log else both
    if log:
        ax.set_xscale("log")
        ax.set_yscale("log")
    entries: Entries = []
    families = np.concatenate([c for _, role, c in panel.samples if role in ("family", "model")] or [np.zeros(0, int)])
    if len(families):
        m = keep[:, families]
        (points,) = ax.plot(larger[:, families][m], smaller[:, families][m], ".", color=GREY, markersize=4, alpha=0.5)
        drawn = [(name, role) for name, role, _ in panel.samples if role in ("family", "model")]
        many = (
            f"{len(families)} models of {len(drawn)} families"
            if len(drawn) > 1
            else f"{len(families)} of {drawn[0][0]}"
        )
        entries.append((points, many if drawn[0][1] == "family" else drawn[0][0]))
    for (name, role, columns), colour in zip(panel.samples, panel.styles(), strict=True):
        if role in ("family", "model"):
            continue
        m = keep[:, columns]
        if m.any():
            (points,) = ax.plot(larger[:, columns][m], smaller[:, columns][m], "o", color=colour, markersize=5)
            entries.append((points, f"{name}, the tightest" if role == "worst" else name))
    meaning: Entries = _bars(ax, panel, keep)
    if keep.any():
        meaning += [(_diagonal(ax, smaller[keep], larger[keep], log, ink), "equality")]
    if panel.attrs["identity"] and keep.any():
        off = abs(larger - smaller)[keep].max()
        ax.annotate(f"largest difference {off:.1g}", (0.97, 0.05), xycoords="axes fraction", ha="right", fontsize=9)
    lower, upper = panel.left_latex, panel.right_latex
    lower, upper = (upper, lower) if panel.flipped else (lower, upper)
    sides = ("right side", "left side") if not panel.flipped else ("left side", "right side")
    ax.set_xlabel(_label(upper, 330, f"{sides[0]} of the statement"))
    ax.set_ylabel(_label(lower, 150, f"{sides[1]} of the statement"))
    return entries, meaning


def _bars(ax: Axes, panel: Panel, keep: np.ndarray) -> Entries:
    """How far sampled means may be off; of a probability, as far as the replicates reach that it is about."""
    sampled = keep & np.isfinite(panel.high)
    if not sampled.any():
        return []
    left, right, low, high, error = (
        x[sampled] for x in (panel.left, panel.right, panel.low, panel.high, 2 * panel.error)
    )
    x, y = (left, right) if panel.flipped else (right, left)
    if not panel.attrs["probability"]:
        bars = ax.vlines(x, y - error, y + error)
    elif panel.flipped:
        bars = ax.hlines(y, low, x)
    else:
        bars = ax.vlines(x, y, high)
    bars.set(color=GREY, linewidth=0.8, zorder=1.5)
    return [(bars, _beside(panel, panel.attrs["points"]))]


def _diagonal(ax: Axes, smaller: np.ndarray, larger: np.ndarray, log: bool, ink: str) -> Any:
    """Where both sides are equal, over the range of the larger one."""
    both = np.concatenate([smaller, larger])
    ends = np.array([both.min(), both.max()])
    (line,) = ax.plot(ends, ends, color=ink, linewidth=0.8, zorder=1)
    a, b, c = larger.min(), larger.max(), smaller.min()
    if log:
        ax.set_xlim(a / 2, b * 2)
        ax.set_ylim(c / 2, b * 2)
    elif b > a:
        ax.set_xlim(a - (b - a) / 25, b + (b - a) / 25)
        ax.set_ylim(min(c, a) - (b - min(c, a)) / 25, b + (b - min(c, a)) / 25)
    return line


def _decades(*parts: np.ndarray) -> float:
    x = np.concatenate(parts)
    return float(np.log10(x.max()) - np.log10(x.min())) if len(x) else 0.0


def _middle(x: np.ndarray) -> np.ndarray:
    return _along(np.nanmedian, x)


def _along(f: Any, x: np.ndarray) -> np.ndarray:
    """`f` over instances, NaN where there is none."""
    out = np.full(len(x), np.nan)
    some = ~np.isnan(x).all(axis=1)
    out[some] = f(x[some], axis=1)
    return out


# -- files -------------------------------------------------------------------------------------------------------------


def save(figure: Figure, data: xr.Dataset, path: Path) -> list[Path]:
    """Write the figure, by its suffix, and beside it the data as netCDF and CSV; returns the files."""
    path = Path(path)
    written = save_figure(figure, path, title=data.attrs["theorem"], description=data.attrs["title"])
    return written + save_data(data, path)


def save_figure(figure: Figure, *paths: Path, title: str = "", description: str = "") -> list[Path]:
    """Write a figure to files of type .svg, .png or .pdf: the same bytes for the same figure."""
    from matplotlib import rc_context

    for path in map(Path, paths):
        if path.suffix not in SUFFIXES:
            raise MdplabError(f"{path}: a figure ends in {', '.join(SUFFIXES)}, not in {path.suffix!r}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with rc_context(STYLE):
            figure.savefig(path, dpi=300, metadata=_metadata(path.suffix, title, description))
    return [Path(path) for path in paths]


def _metadata(suffix: str, title: str, description: str) -> dict[str, Any]:
    if suffix == ".svg":
        return {"Title": title, "Description": description, "Creator": "mdplab", "Date": None}
    if suffix == ".pdf":
        return {"Title": title, "Subject": description, "Creator": "mdplab", "CreationDate": None}
    return {"Title": title, "Description": description, "Software": "mdplab"}


def save_data(data: xr.Dataset, path: Path) -> list[Path]:
    """Write the data as netCDF and as CSV, one row for each claim, iterate and instance."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    nc, csv = path.with_suffix(".nc"), path.with_suffix(".csv")
    data.to_netcdf(nc, engine="scipy")
    table = data.drop_vars("sample").to_dataframe().dropna(subset=["right"]).reset_index()
    if set(table["claim"]) == {""}:
        table = table.drop(columns="claim")
    table.to_csv(csv, index=False, float_format="%.17g", lineterminator="\n")
    return [nc, csv]
