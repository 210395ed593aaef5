"""Small models as drawings, in SVG that takes its colours from the page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

import numpy as np

from mdplab.report.instance import float_of, transitions
from mdplab.report.words import number

STATES, ARROWS = 8, 36  # what can still be read
UNIT, RADIUS, HEIGHT, MARGIN = 92.0, 19.0, 20.0, 14.0  # pixels: an edge of length one, a circle, a box, the border


@dataclass(frozen=True)
class Box:
    """Actions of one state that do and pay the same."""

    state: int
    actions: tuple[int, ...]
    reward: Any
    nexts: tuple[tuple[int, Any], ...]

    @property
    def text(self) -> str:
        return f"{', '.join(map(str, self.actions))}: {short(self.reward)}"

    @property
    def width(self) -> float:
        return 12 + 6.4 * len(self.text)


def model(x: dict[str, Any], optimal: list[int] | None = None) -> str | None:
    """A model of a verdict's JSON as SVG: states are circles, actions boxes; None if it is too large to be read.

    Parameters
    ----------
    optimal : list of int, optional
        One optimal action for each state; its box is filled.
    """
    boxes = _boxes(x)
    S = len(x["r"])
    if S > STATES or sum(len(b.nexts) for b in boxes) > ARROWS:
        return None
    at, places = _layout(S, boxes)
    parts = [_arrows(b, at, p, S == 1) for b, p in zip(boxes, places, strict=True)]
    parts += [_box(b, p, optimal) for b, p in zip(boxes, places, strict=True)]
    parts += [_state(s, at[s], x.get("start")) for s in range(S)]
    points = np.array([*at, *places])
    half = max([b.width / 2 for b in boxes] + [RADIUS])
    border = np.array([half + MARGIN, RADIUS + MARGIN + (18 if S > 1 else 0)])
    low, high = points.min(axis=0) - border, points.max(axis=0) + border
    width, height = high - low
    return (
        f'<svg class="model" role="img" aria-label="{escape(_words(x))}" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{low[0]:.0f} {low[1]:.0f} {width:.0f} {height:.0f}" width="{width:.0f}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.6 L8 4 L0 7.4 z" class="tip"/></marker></defs>'
        + "".join(parts)
        + "</svg>"
    )


def short(x: Any, digits: int = 3) -> str:
    """A number in a drawing: short fractions stay, the rest gets a few digits."""
    text = number(x)
    return text if len(text) <= digits + 2 else f"{float_of(x):.{digits}g}"


def _boxes(x: dict[str, Any]) -> list[Box]:
    out = []
    for s, group in groupby(transitions(x), key=lambda row: row[0]):
        same: dict[tuple[Any, ...], list[int]] = {}
        for _, a, reward, nexts in group:
            same.setdefault((float_of(reward), tuple(nexts)), []).append(a)
        rewards = x["r"][s]
        out += [Box(s, tuple(actions), rewards[actions[0]], nexts) for (_, nexts), actions in same.items()]
    return out


def _layout(S: int, boxes: list[Box]) -> tuple[np.ndarray, np.ndarray]:
    """Where states and boxes go, in pixels: neighbours near each other, nothing on top of anything."""
    import networkx as nx

    if S == 1:
        rows = np.arange(len(boxes)) - (len(boxes) - 1) / 2
        return np.zeros((1, 2)), np.stack([np.full(len(boxes), 1.6 * UNIT), 1.5 * HEIGHT * rows], axis=1)
    graph = nx.Graph()
    graph.add_nodes_from(range(S))
    for i, b in enumerate(boxes):
        graph.add_edge(b.state, ("box", i), weight=1.0)
        for t, _ in b.nexts:
            if t != b.state:
                graph.add_edge(("box", i), t, weight=2.2)
    # Parts that do not reach each other are kept near by weak ties.
    heads = [min(part, key=str) for part in nx.connected_components(graph)]
    graph.add_edges_from([(heads[0], other, {"weight": 3.0}) for other in heads[1:]])
    circle = nx.circular_layout(graph)
    found = nx.kamada_kawai_layout(graph, pos=circle, weight="weight")
    points = np.array([found[v] for v in [*range(S), *(("box", i) for i in range(len(boxes)))]])
    steps = [np.linalg.norm(points[b.state] - points[S + i]) for i, b in enumerate(boxes)]
    points = points * UNIT / np.median(steps)
    points = _apart(points - points.mean(axis=0))
    return points[:S], points[S:]


def _apart(points: np.ndarray) -> np.ndarray:
    """The points turned so that they are wider than high, then pushed apart until boxes do not overlap."""
    _, axes = np.linalg.eigh(points.T @ points)
    points = points @ axes[:, ::-1]
    need = np.array([72.0, 46.0])
    for _ in range(200):
        offset = points[:, None] - points[None]
        overlap = np.clip(1 - np.linalg.norm(offset / need, axis=-1), 0, None)
        np.fill_diagonal(overlap, 0)
        if not overlap.any():
            break
        away = offset / np.maximum(np.linalg.norm(offset, axis=-1, keepdims=True), 1e-9)
        points = points + 14 * (overlap[..., None] * away).sum(axis=1)
    return points


def _arrows(b: Box, at: np.ndarray, place: np.ndarray, alone: bool) -> str:
    here = at[b.state]
    out = f'<path class="choice" d="M{_p(here)} L{_p(place)}"/>'
    for t, p in b.nexts:
        if alone:
            continue  # every arm leads back
        there = at[t]
        along = there - place
        normal = np.array([-along[1], along[0]]) / max(np.linalg.norm(along), 1e-9)
        bend = (34.0 if t == b.state else 12.0) * normal
        middle = (place + there) / 2 + bend
        start, end = _leave(place, middle, b), _enter(there, middle)
        weight = 0.8 + 1.4 * float_of(p)
        out += f'<path class="next" style="stroke-width:{weight:.2f}" d="M{_p(start)} Q{_p(middle)} {_p(end)}"/>'
        if len(b.nexts) > 1:
            label = 0.42 * start + 0.43 * middle + 0.15 * end
            out += f'<text class="p" x="{label[0]:.1f}" y="{label[1] + 3:.1f}">{escape(short(p, 2))}</text>'
    return out


def _leave(place: np.ndarray, towards: np.ndarray, b: Box) -> np.ndarray:
    """Where a line from the middle of the box leaves it."""
    d = towards - place
    reach = min(
        b.width / 2 / abs(d[0]) if d[0] else np.inf,
        HEIGHT / 2 / abs(d[1]) if d[1] else np.inf,
    )
    return place + d * min(reach, 1.0)


def _enter(state: np.ndarray, source: np.ndarray) -> np.ndarray:
    d = source - state
    return state + d * (RADIUS + 1.5) / max(np.linalg.norm(d), 1e-9)


def _box(b: Box, place: np.ndarray, optimal: list[int] | None) -> str:
    best = optimal is not None and optimal[b.state] in b.actions
    x, y = place[0] - b.width / 2, place[1] - HEIGHT / 2
    return (
        f'<rect class="{"action best" if best else "action"}" x="{x:.1f}" y="{y:.1f}" width="{b.width:.1f}" '
        f'height="{HEIGHT:.0f}" rx="4"/><text class="{"a best" if best else "a"}" x="{place[0]:.1f}" '
        f'y="{place[1] + 4:.1f}">{escape(b.text)}</text>'
    )


def _state(s: int, at: np.ndarray, start: list[Any] | None) -> str:
    μ = "" if start is None or float_of(start[s]) == 0 or len(start) == 1 else short(start[s])
    lift = 1 if μ else 5
    name = f'<text class="s" x="{at[0]:.1f}" y="{at[1] + lift:.1f}">{s}</text>'
    below = f'<text class="mu" x="{at[0]:.1f}" y="{at[1] + 12:.1f}">{escape(μ)}</text>' if μ else ""
    return f'<circle class="state" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{RADIUS:.0f}"/>{name}{below}'


def _words(x: dict[str, Any]) -> str:
    return f"Graph of a model with {len(x['r'])} states and {len(x['r'][0])} actions; the table below has its numbers"


def _p(point: np.ndarray) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
