from xml.etree import ElementTree

import numpy as np
import pytest

from mdplab.instances import find_model
from mdplab.report import graphs, instance
from mdplab.theorem.inputs import to_json

SVG = "{http://www.w3.org/2000/svg}"


def model(name):
    return to_json(find_model(name))


@pytest.mark.parametrize("name", ["two-by-two", "puterman-6.2.1", "two-state-swap", "riverswim:S=5", "chain:S=5"])
def test_states_are_circles_and_actions_boxes(name):
    x = model(name)
    drawing = ElementTree.fromstring(graphs.model(x, [0] * len(x["r"])))
    assert len(drawing.findall(f"{SVG}circle")) == len(x["r"])
    boxes = drawing.findall(f"{SVG}rect")
    assert len(boxes) == len(graphs._boxes(x)) <= len(x["r"]) * len(x["r"][0])
    assert sum("best" in b.get("class") for b in boxes) == len(x["r"])


def test_equal_actions_share_a_box():
    assert [b.actions for b in graphs._boxes(model("puterman-6.2.1"))] == [(0,), (1,), (0, 1)]


@pytest.mark.parametrize(
    "name", ["two-by-two", "puterman-6.2.1", "riverswim:S=5", "chain:S=5", "grid:rows=2,columns=3"]
)
def test_boxes_and_circles_do_not_lie_on_each_other(name):
    x = model(name)
    at, places = graphs._layout(len(x["r"]), graphs._boxes(x))
    points = np.concatenate([at, places])
    apart = abs(points[:, None] - points[None]) / [72, 46]
    apart = np.linalg.norm(apart, axis=-1) + 9 * np.eye(len(points))
    assert apart.min() > 0.99  # of the room that a box and a circle need side by side


def test_a_drawing_stays_inside_its_frame():
    drawing = ElementTree.fromstring(graphs.model(model("two-by-two")))
    x0, y0, w, h = map(float, drawing.get("viewBox").split())
    for box in drawing.findall(f"{SVG}rect"):
        left, top = float(box.get("x")), float(box.get("y"))
        assert x0 <= left <= x0 + w - float(box.get("width"))
        assert y0 <= top <= y0 + h - float(box.get("height"))


def test_what_cannot_be_read_is_not_drawn():
    assert graphs.model(model("garnet:S=20,A=5")) is None
    assert graphs.model(model("garnet:S=6,A=4,b=6")) is None


def test_a_bandit_is_told_in_one_line():
    text = instance.text({"mdp": model("two-armed-bandit"), "θ": [["0", "1/3"]], "τ": 0.25})
    assert text.splitlines()[0].startswith("mdp: bandit with 2 arms, mean rewards (")
    assert text.splitlines()[1:] == ["θ = 0  1/3", "τ = 0.25"]


def test_a_model_is_told_action_by_action():
    text = instance.text({"mdp": model("two-by-two")})
    assert "2 states, 2 actions, discount 9/10" in text
    assert "start (3/5, 2/5)" in text
    assert text.splitlines()[-1].split() == ["1", "1", "7/10", "0:", "1"] or "1: " in text.splitlines()[-2]
    assert len(text.splitlines()) == 3 + 4
