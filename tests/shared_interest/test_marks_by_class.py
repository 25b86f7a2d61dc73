"""For a class its own marks count: the scores of a set with two categories in an image, computed by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from interp import images
from interp.attribution import Method
from interp.attribution.method import Maps
from interp.images import ImageSet
from interp.passes.target_score import TargetScore
from interp.shared_interest import Area, Explanation, Scored, Scoring, score
from interp.types import Classifier
from tests.images.drawing import coco, plain

# Of 16 × 16 pixels, where the map is; a cat's marks lie in it, and a dog's beside it.
CAT, DOG, FISH = [0, 0, 4, 4], [8, 0, 8, 8], [4, 0, 8, 16]


@dataclass(frozen=True)
class LeftHalf(Method):
    """A map that is 1 in the left half, whatever is asked."""

    title, signed, summary, formula, source, pitfalls = "Left half", False, "", "", "", ""

    def cost(self, classifier: Classifier) -> float:
        return 1.0

    def maps(self, explanation: TargetScore) -> Maps:
        values = torch.zeros(len(explanation.images), 16, 16)
        values[:, :, :8] = 1
        return Maps(values)


@pytest.fixture
def photos(tmp_path: Path) -> ImageSet:
    """Two images in the folder of their label: the first of a cat beside a dog, the second of a fish alone."""
    for name in ("cat/one.png", "cat/two.png", "dog/three.png"):
        plain(tmp_path / name, size=(16, 16))
    named = [{"id": i, "file_name": f"{name}.png", "width": 16, "height": 16} for i, name in enumerate(("one", "two"))]
    marks = [
        {"id": 1, "image_id": 0, "category_id": 1, "bbox": CAT},
        {"id": 2, "image_id": 0, "category_id": 2, "bbox": DOG},
        {"id": 3, "image_id": 1, "category_id": 3, "bbox": FISH},
    ]
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(("Cat", "dog", "fish"))]
    coco(tmp_path / "marks.json", named, marks, categories)
    return images.load(tmp_path)


def scores(tiny: Classifier, photos: ImageSet, target: str, marks: str) -> Scored:
    return score(tiny, photos, Explanation(LeftHalf(), target, marks), scoring=Scoring(Area(0.5)))


def test_the_labels_own_marks_count(tiny: Classifier, photos: ImageSet) -> None:
    found = scores(tiny, photos, "label", "label")
    # Sixteen marked pixels, all in the 128 salient ones.
    assert found.positions.tolist() == [0]
    assert found.score("iou").tolist() == [16 / 128]
    assert found.score("ground_truth_coverage").tolist() == [1.0]
    assert found.score("saliency_coverage").tolist() == [16 / 128]
    [problem] = found.problems
    assert problem.name == "cat/two.png" and "of the class in it: what is marked is 'fish'" in problem.reason
    assert scores(tiny, photos, "predicted", "label").score("iou").tolist() == [16 / 128]


def test_all_marks_count_where_that_is_asked(tiny: Classifier, photos: ImageSet) -> None:
    found = scores(tiny, photos, "label", "all")
    # Of the first 16 + 64 pixels, 16 of them salient; of the second 128, half of them salient.
    assert found.score("iou").tolist() == [16 / (128 + 64), 64 / 192]
    assert found.score("ground_truth_coverage").tolist() == [16 / 80, 0.5]


def test_the_marks_of_the_class_that_is_explained(tiny: Classifier, photos: ImageSet, monkeypatch) -> None:
    for index, expected in ((0, {0: 16 / 128}), (1, {0: 0.0}), (2, {1: 64 / 192})):
        certain = torch.nn.functional.one_hot(torch.tensor([index] * 2), 3).float()
        monkeypatch.setattr(Classifier, "probabilities", lambda self, batch, rows=certain: rows[: len(batch)])
        found = scores(tiny, photos, "predicted", "explained")
        assert dict(zip(found.positions.tolist(), found.score("iou").tolist(), strict=True)) == expected
        assert ["Nobody has marked anything of the class" in one.reason for one in found.problems] == [True]


def test_marks_in_other_words_than_the_labels_all_count(tiny: Classifier, tmp_path: Path) -> None:
    plain(tmp_path / "cat" / "one.png", size=(16, 16))
    plain(tmp_path / "dog" / "two.png", size=(16, 16))
    boxes = [{"id": i, "image_id": 1, "category_id": 1, "bbox": box} for i, box in enumerate((CAT, DOG))]
    coco(tmp_path / "marks.json", [{"id": 1, "file_name": "one.png"}], boxes, [{"id": 1, "name": "animal"}])
    photos = images.load(tmp_path)
    assert photos.labels == ("cat", "dog") and photos.own_marks(0) is None
    assert scores(tiny, photos, "label", "label").score("iou").tolist() == [16 / (128 + 64)]


def test_what_has_no_name_counts_for_every_class(tiny: Classifier, tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        plain(tmp_path / name / "one.png", size=(16, 16))
    boxes = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": CAT},
        {"id": 2, "image_id": 1, "category_id": 9, "bbox": DOG},
    ]
    file = {"id": 1, "file_name": "cat/one.png"}
    coco(tmp_path / "marks.json", [file], boxes, [{"id": 1, "name": "cat"}])
    photos = images.load(tmp_path)
    assert photos[0].mask.sum() == 16 + 64 and photos[0].marked({"dog"}).sum() == 64
