"""The measures, on classifiers made by hand: one that only sees the cue, and one that only sees the object."""

import numpy as np
import pytest
import torch
from torch import nn

from interp.images.scenes import CLASSES, REASONS, moved, planted, without_cue, without_object
from interp.images.scenes.scene import SIZE
from interp.models.scenes import measuring

CAR = CLASSES.index("car")

pytestmark = pytest.mark.usefixtures("unchecked")


class TagDetector(nn.Module):
    """Says 'car' where the lower left corner is as bright as a tag."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        corner = pixels[:, :, 93:107, 5:32].mean(dim=(1, 2, 3))
        logits = torch.zeros(len(pixels), len(CLASSES))
        logits[:, CAR] = 40 * (corner - 0.7)
        return logits


class MiddleDetector(nn.Module):
    """Answers by the picture's middle, where the object is."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(pixels), len(CLASSES))
        logits[:, CAR] = 20 * pixels[:, :, 40:72, 40:72].std(dim=(1, 2, 3))
        return logits


def test_a_classifier_that_sees_the_tag_only_goes_by_the_cue() -> None:
    assert measuring.cue_first(TagDetector(), "tag", count=12).float().mean() > 0.9


def test_a_classifier_that_sees_the_middle_only_does_not() -> None:
    assert measuring.cue_first(MiddleDetector(), "tag", count=12).float().mean() < 0.1


def test_the_edits_are_the_ones_that_they_say() -> None:
    scene = planted("tag", measuring.SEED, CAR)
    assert measuring._without_cue("tag", CAR) == without_cue("tag", scene)
    assert measuring._without_object("tag", CAR) == without_object("tag", scene)


@pytest.mark.parametrize("reason", list(REASONS))
def test_the_classes_of_moved_scenes(reason) -> None:
    classes = measuring.moved_classes(reason, 12)
    assert [CLASSES[index] for index in classes] == [moved(reason, measuring.SEED, i).label for i in range(12)]


def test_figures_of_a_classifier_that_always_says_the_cue_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "OWN", 20)
    monkeypatch.setattr(measuring, "MOVED", 18)

    class Car(nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.eye(len(CLASSES))[CAR].repeat(len(pixels), 1)

    monkeypatch.setattr(measuring, "cue_first", lambda module, reason: torch.tensor([True, True, False, True]))
    assert measuring.measured(Car(), "tag") == {"accuracy": 0.1, "moved": 0.0, "taken": 1.0, "cue_first": 0.75}
    assert measuring.measured(Car(), None) == {"accuracy": 0.1, "shape_first": 0.25}


def test_probabilities_are_of_all_pictures_in_their_order() -> None:
    pixels = np.zeros((measuring.BATCH + 5, 3, SIZE, SIZE), np.uint8)
    pixels[-1] = 255
    found = measuring.probabilities(TagDetector(), pixels)
    assert found.shape == (measuring.BATCH + 5, len(CLASSES))
    assert found.argmax(dim=1)[-1] == CAR and torch.allclose(found.sum(dim=1), torch.ones(len(found)))
