import pytest
import torch

from interp import evaluation
from interp.figures import evidence, style
from interp.types import Heatmaps, Target


def maps(*values: torch.Tensor) -> Heatmaps:
    return Heatmaps(torch.stack(values), True, (Target(0),) * len(values))


def test_bars_are_means_over_the_annotated_photographs_beside_chance() -> None:
    annotations = torch.zeros(3, 20, 20, dtype=torch.bool)
    annotations[0, :10], annotations[1, :5] = True, True
    inside = annotations[0].float()
    noise = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0))
    found = evaluation.located({"Mine": maps(inside, inside, inside), "Random": maps(*noise)}, annotations)
    figure = evidence.located(found, "Random")
    hits, energy, overlap = figure.data
    assert list(hits.y) == ["Mine", "Random"]
    # The third photograph has no annotation; of the second, half of the map's 10 rows are inside.
    assert energy.x[0] == pytest.approx((1 + 0.5) / 2)
    # 100 pixels of 200 equal ones, half of which are inside: 50 shared of 150 in either.
    assert overlap.x[0] == pytest.approx((1 + 50 / 150) / 2)
    chances = [line.x0 for line in figure.layout.shapes]
    assert chances == pytest.approx([(0.5 + 0.25) / 2, (0.5 / 1.5 + 0.25 / 1.75) / 2])
    assert energy.x[1] == pytest.approx(chances[0], abs=0.05)
    assert list(hits.marker.color) == [style.RIGHT.colour, "#8A8A8A"]
    assert figure.layout.xaxis.range == (0, 1)


def test_maps_that_are_zero_have_no_energy_and_no_bar() -> None:
    annotations = torch.ones(1, 8, 8, dtype=torch.bool)
    annotations[0, 0] = False
    (found,) = evaluation.located({"Zero": maps(torch.zeros(8, 8))}, annotations)
    assert evidence.located((found,), "Random").data[1].x == (None,)
