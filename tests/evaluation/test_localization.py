import pytest
import torch

from interp import evaluation
from interp.types import Heatmaps, Target


def maps(*values: torch.Tensor) -> Heatmaps:
    return Heatmaps(torch.stack(values), True, (Target(0),) * len(values))


def spot(*places: tuple[int, int], side: int = 20) -> torch.Tensor:
    values = torch.zeros(side, side)
    for place in places:
        values[place] = 1
    return values


def box(side: int = 20) -> torch.Tensor:
    inside = torch.zeros(1, side, side, dtype=torch.bool)
    inside[0, 5:10, 5:10] = True
    return inside


@pytest.mark.parametrize(
    ("place", "tolerance", "hit"),
    [
        ((7, 7), 0, True),
        ((4, 7), 0, False),
        ((4, 7), 1, True),
        ((2, 1), 5, True),
        ((2, 1), 4.9, False),
        ((12, 7), 2.5, False),
        ((12, 7), 3, True),
    ],
)
def test_a_point_hits_up_to_the_tolerance(place: tuple[int, int], tolerance: float, hit: bool) -> None:
    assert evaluation.pointing(maps(spot(place)), box(), tolerance=tolerance).hit.tolist() == [hit]


def test_the_tolerance_is_15_pixels_of_224() -> None:
    inside = torch.zeros(2, 224, 224, dtype=torch.bool)
    inside[:, 100, 100] = True
    found = evaluation.pointing(maps(spot((100, 115), side=224), spot((100, 116), side=224)), inside)
    assert found.hit.tolist() == [True, False]
    assert found.accuracy == 0.5


def test_all_of_several_maxima_must_hit() -> None:
    annotations = box().expand(3, -1, -1)
    found = evaluation.pointing(maps(spot((6, 6), (8, 8)), spot((6, 6), (18, 18)), spot()), annotations, tolerance=0)
    assert found.hit.tolist() == [True, False, False]


def test_negative_values_are_not_pointed_at() -> None:
    values = spot((7, 7))
    values[15, 15] = -9
    assert evaluation.pointing(maps(values), box()).hit.item()


def test_without_an_annotation_nothing_is_counted() -> None:
    empty = torch.zeros(1, 20, 20, dtype=torch.bool)
    found = evaluation.pointing(maps(spot((7, 7))), empty)
    assert found.hit.tolist() == found.counted.tolist() == [False]
    assert found.accuracy is None
    assert not evaluation.energy_inside(maps(spot((7, 7))), empty).counted.any()


def test_energy_inside_by_hand() -> None:
    values = torch.zeros(20, 20)
    values[7, 7], values[0, 0] = -3, 1
    found = evaluation.energy_inside(maps(values, torch.zeros(20, 20)), box().expand(2, -1, -1))
    assert found.inside.tolist() == [0.75, 0]
    assert found.chance.tolist() == pytest.approx([25 / 400] * 2)
    assert found.counted.tolist() == [True, False]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="20, 20"):
        evaluation.pointing(maps(spot((7, 7))), torch.ones(1, 8, 8, dtype=torch.bool))
    with pytest.raises(ValueError, match="-1"):
        evaluation.pointing(maps(spot((7, 7))), box(), tolerance=-1)


def test_the_overlap_by_hand() -> None:
    values = torch.zeros(20, 20)
    values[5:10, 5:10] = 2
    shifted = values.roll(1, 1)
    found = evaluation.overlap(maps(values, shifted), box().expand(2, -1, -1))
    # 20 of 25 pixels are shared, of 30 in either.
    assert found.iou.tolist() == pytest.approx([1, 20 / 30])
    assert found.chance.tolist() == pytest.approx([(25 / 400) / (2 - 25 / 400)] * 2)


def test_equal_values_overlap_as_chance_would_have_it() -> None:
    half = torch.zeros(20, 20)
    half[:, :10] = 1
    found = evaluation.overlap(maps(torch.zeros(20, 20), half), box().expand(2, -1, -1))
    # Of the left half, 200 pixels with the annotation's 25 among them, 25 are expected to hold 25/8.
    assert found.iou.tolist() == pytest.approx([found.chance[0].item(), (25 / 8) / (50 - 25 / 8)])
    empty = evaluation.overlap(maps(half), torch.zeros(1, 20, 20, dtype=torch.bool))
    assert (empty.iou.tolist(), empty.counted.tolist()) == ([0], [False])


def test_all_measures_together_are_those_one_by_one() -> None:
    annotations = torch.cat([box(), torch.zeros(1, 20, 20, dtype=torch.bool)])
    generator = torch.Generator().manual_seed(3)
    given = {name: maps(*torch.randn(2, 20, 20, generator=generator)) for name in ("one", "two")}
    for found in evaluation.located(given, annotations):
        own = given[found.name]
        assert torch.equal(found.pointing.hit, evaluation.pointing(own, annotations).hit)
        assert torch.equal(found.energy.inside, evaluation.energy_inside(own, annotations).inside)
        assert torch.equal(found.overlap.iou, evaluation.overlap(own, annotations).iou)
        assert found.overlap.counted.tolist() == [True, False]
