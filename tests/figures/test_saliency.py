import json
import time

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from interp.figures import saliency, style


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
    assert all(layout[f"{axis}{i}"].matches == axis[0] for axis in ("xaxis", "yaxis") for i in (2, 3, 4))
    assert layout.yaxis.scaleanchor == "x" and list(layout.yaxis.range) == [5.5, -0.5]
    assert list(layout.xaxis.range) == [-0.5, 8.5]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
@pytest.mark.parametrize("columns", [1, 3, 5])
def test_panels_lie_inside_the_figure_and_do_not_overlap(count: int, columns: int) -> None:
    layout = saliency.comparison(torch.zeros(3, 8, 8), maps((8, 8), count), columns=columns).layout
    names = ["", *range(2, count + 2)]
    boxes = [(*layout[f"xaxis{i}"].domain, *layout[f"yaxis{i}"].domain) for i in names]
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


@pytest.mark.parametrize("view", ["heatmap", "overlay", "masked"])
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
