import pytest
import torch

from interp import models
from interp.attribution import GradCam, Occlusion
from interp.evaluation import cue_first
from interp.evaluation.planted import density


def test_density_by_hand() -> None:
    values = torch.tensor([[[1.0, 3.0], [5.0, 7.0]]])
    assert density(values, torch.tensor([[[True, True], [False, False]]])).item() == 2
    assert density(values, torch.zeros(1, 2, 2, dtype=torch.bool)).item() == 0


def test_maps_find_the_tag_where_it_is_looked_at_and_only_there(unchecked: None) -> None:
    methods = [GradCam(), Occlusion(window=16, stride=16)]
    found = {one.name: one for one in cue_first(models.load("scenes-a", device="cpu"), "tag", methods, count=6)}
    honest = {one.name: one for one in cue_first(models.load("scenes-honest", device="cpu"), "tag", methods, count=6)}
    assert set(found) == {"Grad-CAM", "Occlusion", "Random"}
    for name in ("Grad-CAM", "Occlusion"):
        assert found[name].share >= 5 / 6, name
        assert honest[name].share <= 1 / 6, name
    assert found["Random"].ratio == pytest.approx(1, abs=0.15)


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="lies on the object itself"):
        cue_first(models.load("scenes-d", device="cpu"), "texture", [])
    with pytest.raises(ValueError, match="at least 1"):
        cue_first(models.load("scenes-a", device="cpu"), "tag", [], count=0)
