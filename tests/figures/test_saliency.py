import base64
import io
import json
import time

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image

from interp.figures import contours, panels, saliency, style, traces


@pytest.fixture
def photograph() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.nn.functional.interpolate(torch.rand(1, 3, 28, 28, generator=generator), (224, 224), mode="bicubic")[
        0
    ].clamp(0, 1)


def maps(size: tuple[int, int] = (224, 224), count: int = 5) -> list[tuple[str, torch.Tensor, bool]]:
    generator = torch.Generator().manual_seed(1)
    made = [torch.randn(size, generator=generator) ** 3 for _ in range(count)]
    return [(f"method {i}", one if i % 2 else one.abs(), bool(i % 2)) for i, one in enumerate(made)]


def heatmaps(figure: go.Figure) -> list[go.Heatmap]:
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_values_are_bytes_of_per_cent_of_the_largest_magnitude() -> None:
    values = torch.tensor([[0.5, -2.0], [0.019, -0.019]])
    figure = saliency.comparison(torch.zeros(3, 2, 2), [("a", values, True)])
    [heatmap] = heatmaps(figure)
    assert heatmap.z.dtype == np.int8
    assert heatmap.z.tolist() == [[25, -100], [0, 0]]
    bar = figure.layout.coloraxis2.colorbar
    assert list(bar.ticktext) == ["−2", "0", "2"] and list(bar.tickvals) == [-100, 0, 100]
    assert "of 2" in heatmap.hovertemplate


def test_signed_scales_have_zero_in_the_middle_and_unsigned_ones_at_the_end() -> None:
    figure = saliency.comparison(torch.zeros(3, 8, 8), maps((8, 8), 2), view="heatmap")
    unsigned, signed = figure.layout.coloraxis2, figure.layout.coloraxis3
    assert (unsigned.cmin, unsigned.cmax) == (0, 100) and (signed.cmin, signed.cmax) == (-100, 100)
    place, middle = signed.colorscale[len(signed.colorscale) // 2]
    assert place == 0.5 and middle.startswith("rgba(247,247,247")


def test_a_shared_scale_is_that_of_the_largest_map() -> None:
    small, large = torch.full((4, 4), 0.5), torch.full((4, 4), -2.0)
    figure = saliency.comparison(torch.zeros(3, 4, 4), [("s", small, False), ("l", large, True)], scale="shared")
    assert [int(heatmap.z[0, 0]) for heatmap in heatmaps(figure)] == [25, -100]
    assert {axis.colorbar.ticktext[-1] for axis in (figure.layout.coloraxis2, figure.layout.coloraxis3)} == {"2"}


def test_a_mask_lights_the_photograph_in_proportion_and_hides_what_is_negative() -> None:
    for lowest in (-1.0, 0.0):
        for place, color in style.shade(lowest):
            value = lowest + place * (1 - lowest)
            alpha = float(color.removesuffix(")").split(",")[3])
            assert color.startswith("rgba(0,0,0,")
            assert alpha == pytest.approx(1 - max(value, 0), abs=2e-3)


def test_weak_attribution_is_clear_in_an_overlay() -> None:
    figure = saliency.comparison(torch.zeros(3, 8, 8), maps((8, 8), 2), view="overlay")
    unsigned, signed = figure.layout.coloraxis2.colorscale, figure.layout.coloraxis3.colorscale
    assert unsigned[0][1].endswith(",0)") and signed[10][1].endswith(",0)")
    assert signed[0][1].endswith(",0.9)") and signed[-1][1].endswith(",0.9)") and unsigned[-1][1].endswith(",0.9)")


def test_an_all_zero_map_is_drawn_and_says_so() -> None:
    figure = saliency.comparison(torch.zeros(3, 8, 8), [("nothing", torch.zeros(8, 8), True), *maps((8, 8), 1)])
    assert not heatmaps(figure)[0].z.any()
    assert [one.text for one in figure.layout.annotations].count("all zero") == 1


def test_all_panels_zoom_together_with_square_pixels_and_y_downwards() -> None:
    layout = saliency.comparison(torch.zeros(3, 6, 9), maps((6, 9), 3)).layout
    assert [layout[name].matches for name in ("xaxis2", "xaxis3", "yaxis2")] == ["x", "x", "y"]
    assert layout.yaxis.scaleanchor == "x" and list(layout.yaxis.range) == [5.5, -0.5]
    assert list(layout.xaxis.range) == [-0.5, 8.5]


def _domain(figure: go.Figure, axis: str) -> tuple[float, float]:
    return figure.layout[f"{axis[0]}axis{axis[1:]}"].domain


@pytest.mark.parametrize("count", [0, 1, 2, 7])
@pytest.mark.parametrize("columns", [1, 3, 5])
def test_panels_lie_inside_the_figure_and_do_not_overlap(count: int, columns: int) -> None:
    figure = saliency.comparison(torch.zeros(3, 8, 8), maps((8, 8), count), columns=columns)
    pictures = [trace for trace in figure.data if trace.type == "image"]
    boxes = [_domain(figure, trace.xaxis) + _domain(figure, trace.yaxis) for trace in pictures]
    assert len(boxes) == count + 1
    for i, (left, right, bottom, top) in enumerate(boxes):
        assert 0 <= left < right <= 1 and 0 <= bottom < top <= 1
        for other_left, other_right, other_bottom, other_top in boxes[:i]:
            apart = right < other_left or other_right < left or top < other_bottom or other_top < bottom
            assert apart


def test_the_annotation_is_outlined_along_pixel_edges() -> None:
    annotation = torch.zeros(8, 8, dtype=torch.bool)
    annotation[2:5, 3:8] = True
    figure = saliency.comparison(torch.zeros(3, 8, 8), maps((8, 8), 1), annotation=annotation)
    [line] = [trace for trace in figure.data if trace.type == "scatter"]
    pieces = {tuple(np.concatenate([line.x[i : i + 2], line.y[i : i + 2]]).tolist()) for i in range(0, len(line.x), 3)}
    assert pieces == {(2.5, 7.5, 1.5, 1.5), (2.5, 7.5, 4.5, 4.5), (2.5, 2.5, 1.5, 4.5), (7.5, 7.5, 1.5, 4.5)}
    assert np.isnan(line.x[2::3]).all() and (line.xaxis, line.yaxis) == ("x", "y")


def test_an_empty_annotation_draws_nothing() -> None:
    empty = torch.zeros(8, 8, dtype=torch.bool)
    figure = saliency.comparison(torch.zeros(3, 8, 8), [], annotation=empty)
    assert len(figure.data[1].x) == 0


def test_small_pictures_keep_their_pixels_and_large_ones_are_jpegs() -> None:
    small, large = (saliency.comparison(torch.rand(3, side, side), []).data[0] for side in (32, 224))
    assert small.source.startswith("data:image/png") and small.zsmooth is False
    assert large.source.startswith("data:image/jpeg") and large.zsmooth == "fast"


def test_titles_cannot_smuggle_links_in_and_stay_within_two_lines() -> None:
    title = '<a href="http://elsewhere">photo</a> ' + "with a name that goes on and on " * 5
    figure = saliency.comparison(torch.zeros(3, 8, 8), [(title, torch.zeros(8, 8), True)])
    text = figure.layout.annotations[1].text
    assert "<a" not in text and text.count("<br>") == 1 and text.endswith("…")


def test_what_cannot_be_drawn_is_refused_by_name() -> None:
    pixels = torch.zeros(3, 8, 8)
    with pytest.raises(ValueError, match="'broken' contains NaN or infinity"):
        saliency.comparison(pixels, [("broken", torch.full((8, 8), float("inf")), True)])
    with pytest.raises(ValueError, match="0 columns"):
        saliency.comparison(pixels, [], columns=0)


@pytest.mark.parametrize("view", ["heatmap", "overlay", "masked", "contour"])
def test_a_comparison_is_light_and_quick(photograph: torch.Tensor, view) -> None:
    saliency.comparison(photograph, maps(), view=view).to_json()
    seconds = []
    for _ in range(7):
        start = time.process_time()
        text = saliency.comparison(photograph, maps(), view=view).to_json()
        seconds.append(time.process_time() - start)
    assert len(text) < 500_000
    assert min(seconds) < 0.08, "twice what it should need, for a machine that does other things as well"
    assert json.loads(text)["data"]


@pytest.mark.parametrize("size", [(8, 8), (33, 71), (1000, 1000)])
def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    figure = saliency.comparison(torch.rand(3, *size), maps(size, 2))
    assert all(heatmap.z.shape == size for heatmap in heatmaps(figure))


def test_a_map_of_another_size_is_refused() -> None:
    with pytest.raises((ValueError, TypeError)):
        saliency.comparison(torch.zeros(3, 8, 8), [("other", torch.zeros(4, 8), True)])


def test_a_clipped_scale_ends_at_the_percentile_and_says_so() -> None:
    values = torch.arange(100.0).reshape(10, 10)
    figure = saliency.comparison(torch.rand(3, 10, 10), [("ramp", values, True)], view="heatmap", clip=90.0)
    end = float(np.percentile(np.arange(100), 90))
    z = next(trace for trace in figure.data if trace.type == "heatmap").z
    assert z.max() == 100 and (z == 100).sum() == (np.arange(100) >= end).sum()
    assert z[5, 0] == int(50 / end * 100)
    assert figure.layout.coloraxis2.colorbar.ticktext[-1] == f"≥ {end:.3g}"
    whole = saliency.comparison(torch.rand(3, 10, 10), [("ramp", values, True)], view="heatmap")
    assert whole.layout.coloraxis2.colorbar.ticktext[-1] == "99"


def test_a_map_that_is_nearly_all_zero_is_not_clipped_away() -> None:
    values = torch.zeros(10, 10)
    values[3, 4] = 2.0
    figure = saliency.comparison(torch.rand(3, 10, 10), [("dot", values, False)], view="heatmap", clip=90.0)
    z = next(trace for trace in figure.data if trace.type == "heatmap").z
    assert z[3, 4] == 100 and z.sum() == 100


@pytest.mark.parametrize("clip", [0.0, 49.0, 101.0, float("nan")])
def test_a_clip_that_cannot_be_is_refused(clip: float) -> None:
    with pytest.raises(ValueError, match="colour scale cannot end"):
        saliency.comparison(torch.rand(3, 4, 4), [], clip=clip)


def test_remarks_stand_under_their_titles_with_the_sign_of_their_level() -> None:
    remarks = {"method 1": panels.Remark("not supported", "0.01 <b>")}
    figure = saliency.comparison(torch.zeros(3, 8, 8), maps((8, 8), 2), remarks=remarks)
    [remark] = [one for one in figure.layout.annotations if "0.01" in one.text]
    mark = style.LEVELS["not supported"]
    assert remark.text == f"<b>{mark.symbol}</b> 0.01 &lt;b&gt;"
    assert (remark.font.color, remark.bgcolor) == ("white", mark.colour)
    assert (remark.xref, remark.yref) == ("x3 domain", "y domain")
    title = next(one for one in figure.layout.annotations if one.text == "method 1")
    assert title.yshift > 0 and title.y == remark.y
    assert all(one.yshift == title.yshift for one in figure.layout.annotations if one.text.startswith("method"))


def test_remarks_of_a_grid_are_by_method_and_photograph() -> None:
    many = [(title, values.expand(3, -1, -1), signed) for title, values, signed in maps((8, 8), 2)]
    remarks = {("method 1", 2): panels.Remark("mixed", "0.5"), ("no such", 0): panels.Remark("mixed", "0.6")}
    figure = saliency.grid(torch.zeros(3, 3, 8, 8), ["a", "b", "c"], many, remarks=remarks)
    [remark] = [one for one in figure.layout.annotations if one.bgcolor == style.LEVELS["mixed"].colour]
    assert (remark.xref, remark.yref) == ("x3 domain", "y3 domain")


def pictures(figure: go.Figure) -> list[np.ndarray]:
    """The pixels of the maps that go as pictures."""
    sources = [trace.source for trace in figure.data if trace.type == "image" and "webp" in (trace.source or "")]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one.partition(",")[2])))) for one in sources]


def test_many_maps_go_as_pictures_with_the_scales_own_colours() -> None:
    ramp = torch.linspace(-1, 1, 64).reshape(8, 8)
    many = [(f"m{i}", ramp, True) for i in range(traces.FEW + 1)]
    figure = saliency.comparison(torch.zeros(3, 8, 8), many, view="heatmap")
    assert not heatmaps(figure) and len(pictures(figure)) == len(many)
    steps = traces.steps_of(len(many))
    assert steps is not None
    places = ((ramp * steps).round() / steps + 1) / 2
    expected = style.colours(style.signed(), places.numpy().ravel()).reshape(8, 8, 4)
    found = pictures(figure)[0]
    assert np.array_equal(found[..., :3], expected[..., :3])
    shown = [trace.marker.coloraxis for trace in figure.data if trace.type == "scatter"]
    assert len(shown) == len(many), "each map has its own bar"


def test_every_photograph_lies_under_its_own_maps_and_is_sent_once() -> None:
    photographs = torch.stack([torch.full((3, 80, 80), share) for share in (0.1, 0.5, 0.9)])
    many = [(title, values.expand(3, -1, -1), signed) for title, values, signed in maps((80, 80), 2)]
    figure = saliency.grid(photographs, ["a", "b", "c"], many, view="overlay")
    cycle = [under.source for under in figure.layout.template.data.image]
    assert len(set(cycle)) == 3
    # Plotly's own rule: the template's n-th picture for the n-th image trace, around and around.
    images = [trace for trace in figure.data if trace.type == "image"]
    under = {(trace.xaxis, trace.yaxis): cycle[i % 3] for i, trace in enumerate(images) if trace.source is None}
    columns = {"x": 0, "x2": 1, "x3": 2}
    assert {place: cycle[columns[place[0]]] for place in under} == under
    assert {place[1] for place in under} == {"y2", "y3"}


def test_contours_enclose_their_share_of_the_pixels() -> None:
    rows, columns = torch.meshgrid(torch.arange(100.0), torch.arange(100.0), indexing="ij")
    hill = torch.exp(-((rows - 40) ** 2 + (columns - 60) ** 2) / 800)
    [line] = contours.contours(hill, False).drawn
    pieces = np.split(np.stack([line["x"], line["y"]], 1), np.flatnonzero(np.isnan(line["x"])))
    areas = sorted(_area(piece[~np.isnan(piece[:, 0])]) for piece in pieces if len(piece) > 3)
    assert areas == pytest.approx([500, 1000, 2500], rel=0.03)


def _area(line: np.ndarray) -> float:
    x, y = line.T.astype(float)
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def test_contours_are_dashed_around_what_speaks_against() -> None:
    values = torch.zeros(40, 40)
    values[5:15, 5:15], values[25:35, 25:35] = 2.0, -2.0
    drawn = contours.contours(values, True)
    assert [line["line"]["dash"] for line in drawn.drawn] == ["solid", "dot"]
    solid, dotted = drawn.drawn
    assert np.nanmax(solid["x"]) < 16 and np.nanmin(dotted["x"]) > 23
    assert drawn.text == "≥ 2 · 2", "12.5% of the pixels are not zero: there is no line around 25%"


def test_scattered_pixels_are_marked_themselves() -> None:
    values = torch.randn(60, 60, generator=torch.Generator().manual_seed(0))
    figure = saliency.comparison(torch.zeros(3, 60, 60), [("noise", values, True)], view="contour")
    [spots] = pictures(figure)
    level = np.percentile(values.abs().double().numpy(), 95)
    assert np.array_equal(spots[..., 3] == 255, values.abs().double().numpy() >= level)
    assert any("scattered" in (one.text or "") for one in figure.layout.annotations)
    assert not [trace for trace in figure.data if trace.type == "scatter"], "no bar of a scale that is not drawn"


def test_a_constant_map_has_contours_without_failing() -> None:
    assert contours.contours(torch.zeros(8, 8), True) == contours.Contours((), "")
    assert len(contours.contours(torch.ones(8, 8), False).drawn) == 1
