import csv

import numpy as np
import pytest
import xarray as xr

from mdplab.errors import MdplabError
from mdplab.report import curves, figures

k = np.arange(1, 2001.0)


@pytest.fixture(scope="module")
def data(theorems):
    samples = curves.representatives(theorems["contraction"])
    return curves.measure(theorems["contraction"], samples, up_to=60)


@pytest.mark.parametrize("rate", [0.5, 0.9, 0.99])
def test_geometric_decay_is_told_from_a_power(rate):
    assert figures.is_geometric(k, rate**k)
    assert figures.is_geometric(k, 7 * rate**k)


@pytest.mark.parametrize("power", [-0.5, -1, -2])
def test_a_power_is_told_from_geometric_decay(power):
    assert not figures.is_geometric(k, 5 * k**power)
    assert not figures.is_geometric(k, 0 * k + 1)


def test_masked_values_do_not_disturb_the_decision():
    y = np.where(0.5**k > 1e-12, 0.5**k, np.nan)
    assert figures.is_geometric(k, y)


def synthetic(theorems, left):
    """Data as `curves.measure` makes them, with left sides of our own."""
    samples = curves.on_model(theorems["sublinear"], "two-by-two", _two_by_two())
    data = curves.measure(theorems["sublinear"], samples[:1], up_to=300).isel(instance=[0])
    data["left"] = data.left * 0 + left(data.k)
    data["right"] = 3 * data.left
    return data


def _two_by_two():
    from mdplab.instances import find_model

    return find_model("two-by-two")


@pytest.mark.parametrize("power", [-1.0, -0.5])
def test_the_slope_of_the_last_decade_stands_in_a_triangle(theorems, power):
    figure = figures.draw(synthetic(theorems, lambda k: 5 * k**power))
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert f"${power:.2f}$" in texts
    assert figure.axes[0].get_xscale() == "log"


def test_linear_rates_are_drawn_on_a_linear_axis_with_their_factor(theorems):
    figure = figures.draw(synthetic(theorems, lambda k: 0.9**k))
    assert figure.axes[0].get_xscale() == "linear"
    assert any(r"\times\,0.9$" in t.get_text() for t in figure.axes[0].texts)


def test_no_factor_is_claimed_for_what_shrinks_ever_faster(theorems):
    figure = figures.draw(synthetic(theorems, lambda k: 0.999 ** (k**2)))
    assert figure.axes[0].get_xscale() == "linear"
    assert not any("step" in t.get_text() for t in figure.axes[0].texts)


def test_the_bound_is_in_view_however_far_it_lies(theorems):
    data = synthetic(theorems, lambda k: 5 / k)
    data["right"] = 1e12 * data.right
    low, high = figures.draw(data).axes[0].get_ylim()
    assert low < float(data.left.min())
    assert high > float(data.right.min())


def test_nothing_below_rounding_is_drawn(theorems):
    data = synthetic(theorems, lambda k: 5 / k)
    data["floor"] = data.floor * 0 + 1.0
    panel = figures.Panel.of(data, 0)
    assert np.isnan(panel.left[panel.k > 5]).all()
    assert np.isfinite(panel.left[(panel.k > 0) & (panel.k < 5)]).all()
    assert panel.k[0] == 1


def test_a_statement_without_index_is_drawn_side_against_side(theorems):
    figure, _ = figures.convergence(theorems["short_gradient"])
    points = np.concatenate([line.get_xydata() for line in figure.axes[0].lines if line.get_marker() == "."])
    assert len(points) > 50
    assert (points[:, 1] <= points[:, 0]).all()


def texts_of_legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_mean_is_drawn_in_the_middle_of_its_replicates_and_the_legend_says_of_how_many(theorems):
    figure, data = figures.convergence(theorems["average"])
    assert "mean and central 90 %\nof 512 replicates" in texts_of_legend(figure)
    (ax,) = figure.axes
    bands = [c for c in ax.collections if c.get_alpha() == figures.BAND]
    assert len(bands) == data.sizes["instance"] == 2
    assert ax.get_xscale() == ax.get_yscale() == "log"  # 1, 2, 4, ..., 32 samples
    assert [int(x) for x in ax.get_xticks()] == [1, 2, 4, 8, 16, 32]


def test_sampled_means_have_bars_and_expectations_have_none(theorems):
    sampled, _ = figures.convergence(theorems["unbiased"])
    assert "two standard errors\nof 512 replicates" in texts_of_legend(sampled)
    assert len(sampled.axes[0].collections) == 1
    listed, _ = figures.convergence(theorems["cut_return"])
    assert texts_of_legend(listed)[-1] in ("", "equality")
    assert not listed.axes[0].collections


def test_the_data_of_replicates_come_with_the_figure_and_draw_it_again(theorems, tmp_path):
    figure, data = figures.convergence(theorems["average"])
    figures.save(figure, data, tmp_path / "x.svg")
    assert {"left", "right", "low", "high", "error"} <= set((tmp_path / "x.csv").read_text().split("\n")[0].split(","))
    with xr.open_dataset(tmp_path / "x.nc", engine="scipy") as stored:
        figures.save_figure(figures.draw(stored.load()), tmp_path / "y.svg", title=data.attrs["theorem"])
    first, second = ((tmp_path / f"{n}.svg").read_text() for n in "xy")
    assert first.split("</metadata>")[1] == second.split("</metadata>")[1]


@pytest.mark.parametrize("name", ["average", "deviation", "unbiased", "too_small"])
def test_nothing_in_the_figure_of_a_random_claim_lies_outside_of_it(theorems, verdict, name):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure, _ = figures.convergence(theorems[name], verdict(name))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    legend = figure.legends[0].get_window_extent(canvas.get_renderer())
    assert legend.x1 <= figure.bbox.x1 + 1
    assert figure.axes[0].get_window_extent().y1 < legend.y0


def test_parts_are_panels(theorems):
    figure, _ = figures.convergence(theorems["in_parts"], up_to=30)
    assert [ax.get_title("left") for ax in figure.axes] == ["(values)", "(steps)"]


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_the_same_data_give_the_same_bytes(data, tmp_path, suffix):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path in (first, second):
        assert figures.save(figures.draw(data), data, path) == [
            path,
            path.with_suffix(".nc"),
            path.with_suffix(".csv"),
        ]
    for a in tmp_path.glob("a.*"):
        assert a.read_bytes() == a.with_name("b" + a.suffix).read_bytes()


def test_the_data_beside_a_figure_draw_it_again(data, tmp_path):
    figures.save(figures.draw(data), data, tmp_path / "x.svg")
    with xr.open_dataset(tmp_path / "x.nc", engine="scipy") as stored:
        again = stored.load()
    figures.save_figure(figures.draw(again), tmp_path / "y.svg", title=data.attrs["theorem"])
    first, second = ((tmp_path / f"{n}.svg").read_text() for n in "xy")
    assert first.split("</metadata>")[1] == second.split("</metadata>")[1]
    with (tmp_path / "x.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == int(np.isfinite(data.right).sum())
    assert {"k", "instance", "left", "right", "role"} <= set(rows[0])


def test_other_suffixes_are_refused(data, tmp_path):
    with pytest.raises(MdplabError, match=r"ends in \.svg, \.png, \.pdf, not in '\.gif'"):
        figures.save_figure(figures.draw(data), tmp_path / "x.gif")
