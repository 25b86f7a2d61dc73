"""The maps of a set beside its annotations: the same as one by one, and nothing stops at what is broken."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from interp import attribution, models, progress, set_pass
from interp.attribution import GradCam, Gradient, IntegratedGradients, Method
from interp.attribution.method import Maps
from interp.images import ImageSet, load
from interp.images.annotation import Annotation, Mark
from interp.images.masks import MaskFile
from interp.passes.target_score import TargetScore
from interp.set_pass import merged
from interp.shared_interest import Explained, Explanation, ExplanationPass, annotated
from interp.types import Classifier
from tests.conftest import tiny_classifier
from tests.shared_interest.sets import box, boxes, image_set, pictures
from tests.steps import finished


def explained(classifier: Classifier, photos: ImageSet, *explanations: Explanation, positions=None, batch_size=None):
    steps = set_pass.once(ExplanationPass(), classifier, photos, explanations, positions, batch_size=batch_size)
    return finished(steps)[1]


@pytest.fixture
def photos() -> ImageSet:
    return image_set(pictures(7), boxes(7))


@pytest.mark.parametrize("method", [GradCam(layer="conv2"), Gradient()])
@pytest.mark.parametrize("target", ["predicted", "label"])
def test_maps_and_annotations_are_those_of_each_image_alone(tiny, photos, method, target) -> None:
    [found] = explained(tiny, photos, Explanation(method, target), batch_size=3)
    assert found.positions.tolist() == list(range(7)) and not found.problems
    for row, sample in enumerate(photos):
        batch = tiny.prepare([sample.image])
        probabilities = tiny.probabilities(batch)[0]
        assert found.predicted[row] == int(probabilities.argmax())
        assert found.probability[row] == pytest.approx(float(probabilities.max()), rel=1e-5)
        assert found.labels[row] == row % 3
        asked = found.predicted[row] if target == "predicted" else found.labels[row]
        alone = attribution.attribute(tiny, batch, int(asked), method).values[0].numpy()
        assert np.abs(found.maps[row] - alone).max() <= 5e-4 * np.abs(alone).max()
        assert np.array_equal(found.annotations[row], sample.mask)


def test_maps_that_are_only_enlarged_are_kept_small_and_exactly(tiny, photos) -> None:
    [found] = explained(tiny, photos, Explanation(GradCam(layer="conv2")))
    batch = tiny.prepare([sample.image for sample in photos])
    whole = attribution.attribute(tiny, batch, found.predicted.tolist(), GradCam(layer="conv2"))
    assert found.stored.shape == (7, 8, 8)
    assert np.allclose(found.maps, whole.values.numpy(), rtol=1e-5, atol=1e-7)
    [guided] = explained(tiny, photos, Explanation(attribution.METHODS["Guided Grad-CAM"](layer="conv2")))
    assert guided.stored.shape == (7, 16, 16)


def test_several_questions_give_what_each_gives_alone(tiny, photos) -> None:
    explanations = (Explanation(Gradient()), Explanation(GradCam(layer="conv2")), Explanation(Gradient(), "label"))
    together = explained(tiny, photos, *explanations, positions=[4, 1, 5])
    for explanation, found in zip(explanations, together, strict=True):
        [alone] = explained(tiny, photos, explanation, positions=[4, 1, 5])
        assert found.explanation == explanation
        assert found.positions.tolist() == alone.positions.tolist() == [4, 1, 5]
        assert np.allclose(found.maps, alone.maps, rtol=1e-3, atol=1e-6)


def test_parts_are_put_together_and_taken_out_again(tiny, photos) -> None:
    parts = [explained(tiny, photos, Explanation(Gradient()), positions=some)[0] for some in ([], [0, 1], [2, 3, 4])]
    whole = merged(parts)
    assert whole.positions.tolist() == [0, 1, 2, 3, 4]
    some = whole.at([3, 0, 6])
    assert some.positions.tolist() == [3, 0]
    assert np.array_equal(some.maps, whole.maps[[3, 0]])
    assert np.array_equal(some.annotations, whole.annotations[[3, 0]])
    with pytest.raises(ValueError, match="nothing to put together"):
        merged([])


def test_what_is_broken_is_reported_and_the_rest_goes_on(tiny, tmp_path) -> None:
    Image.new("L", (5, 7), 0).save(tmp_path / "small.png")
    images: list[Image.Image | None] = [*pictures(8)]
    images[1] = None
    marks = boxes(8) | {
        2: replace(box(2, 2, 9, 9), size=(40, 30)),
        3: box(100, 100, 120, 120),
        4: box(5, 5, 5, 12),
        5: Annotation((Mark((MaskFile(str(tmp_path / "gone.png")),)),)),
        6: Annotation((Mark((MaskFile(str(tmp_path / "small.png")),)),)),
    }
    del marks[7]
    photos = image_set(images, marks)
    assert annotated(photos).tolist() == list(range(7))
    [found] = explained(tiny, photos, Explanation(GradCam(layer="conv2")), positions=range(8))
    assert found.positions.tolist() == [0]
    said = {problem.name: problem.reason for problem in found.problems}
    assert len(found.problems) == len(said) == 7
    for name, words in {
        "1.png": "not there any more",
        "2.png": "40 × 30 pixels",
        "3.png": "outside of the picture",
        "4.png": "no area",
        "5.png": "the file is not there any more",
        "6.png": "5 × 7 pixels",
        "7.png": "Nobody has marked anything",
    }.items():
        assert words in said[name]


def test_an_annotation_in_the_margin_that_is_cut_off_is_reported(tiny) -> None:
    wide = Image.new("RGB", (48, 16), "red")
    photos = image_set([wide, wide], {0: box(0, 0, 10, 16), 1: box(16, 0, 32, 16)})
    [found] = explained(tiny, photos, Explanation(Gradient()))
    assert found.positions.tolist() == [1] and found.annotations.all()
    assert "outside of what the model sees" in found.problems[0].reason


def test_a_class_that_the_model_lacks_is_a_problem_only_where_it_is_asked_for(tiny) -> None:
    photos = image_set(pictures(4), boxes(4), ["cat", "zebra", None, "fish"])
    predicted, own = explained(tiny, photos, Explanation(Gradient()), Explanation(Gradient(), "label"))
    assert predicted.positions.tolist() == [0, 1, 2, 3] and predicted.labels.tolist() == [0, -1, -1, 2]
    assert not predicted.problems
    assert own.positions.tolist() == [0, 3]
    assert [problem.name for problem in own.problems] == ["1.png", "2.png"]
    assert "no class 'zebra'" in own.problems[0].reason and "no label" in own.problems[1].reason


class NanWhereWhite(nn.Module):
    """Gives no numbers for an image that is all white."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        white = (pixels.amin(dim=(1, 2, 3)) >= 1)[:, None]
        return torch.where(white, torch.full((), float("nan")), self.network(pixels))


def test_an_image_whose_score_is_no_number_does_not_stop_the_others() -> None:
    tiny = tiny_classifier()
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", NanWhereWhite(tiny.module.network))
    broken = replace(tiny, module=module, fingerprint="broken", layers=())
    images = pictures(5)
    images[2] = Image.new("RGB", (16, 16), "white")
    [found] = explained(broken, image_set(images, boxes(5)), Explanation(Gradient()))
    assert found.positions.tolist() == [0, 1, 3, 4]
    assert found.problems[0].name == "2.png" and "NaN" in found.problems[0].reason


@dataclass(frozen=True)
class Fussy(Method):
    """Explains nothing that is dark, as a method with conditions of its own might."""

    title, signed, summary, formula, source, pitfalls = "Fussy", False, "", "", "", ""

    def cost(self, classifier: Classifier) -> float:
        return 1.0

    def maps(self, explanation: TargetScore) -> Maps:
        if float(explanation.images.pixels.mean(dim=(1, 2, 3)).min()) < 0.1:
            raise ValueError("too dark to be explained")
        return Maps(explanation.images.pixels.mean(dim=1))


def test_what_one_method_cannot_explain_another_still_does(tiny) -> None:
    images = pictures(4)
    images[1] = Image.new("RGB", (16, 16), (3, 3, 3))
    fussy, plain = explained(tiny, image_set(images, boxes(4)), Explanation(Fussy()), Explanation(Gradient()))
    assert fussy.positions.tolist() == [0, 2, 3] and plain.positions.tolist() == [0, 1, 2, 3]
    assert [problem.reason for problem in fussy.problems] == ["too dark to be explained"] and not plain.problems


def test_nothing_to_explain_gives_nothing(tiny, photos) -> None:
    [found] = explained(tiny, photos, Explanation(Gradient()), positions=[])
    assert len(found) == 0 and found.maps.shape == (0, 16, 16) and found.annotations.shape == (0, 16, 16)
    [broken] = explained(tiny, image_set([None, None], boxes(2)), Explanation(Gradient()))
    assert len(broken) == 0 and len(broken.problems) == 2


def test_bad_questions_say_what_would_be_right(tiny, photos) -> None:
    with pytest.raises(ValueError, match="Image 7 does not exist: set has 7"):
        explained(tiny, photos, Explanation(Gradient()), positions=[7])
    with pytest.raises(ValueError, match="whole numbers"):
        explained(tiny, photos, Explanation(Gradient()), positions=np.array([0.5]))
    with pytest.raises(ValueError, match="conv9"):
        explained(tiny, photos, Explanation(GradCam(layer="conv9")))


def test_nothing_is_locked_and_progress_only_grows(tiny, photos) -> None:
    said: list[tuple[int, int, str]] = []

    class Listener:
        def step(self, done: int, total: int, what: str) -> None:
            said.append((done, total, what))

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    def free() -> bool:
        taken: list[bool] = []

        def take() -> None:
            taken.append(tiny.lock.acquire(blocking=False))
            if taken[0]:
                tiny.lock.release()

        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
        return taken[0]

    with progress.listening(Listener()):
        explanation = Explanation(IntegratedGradients(steps=20))
        for _ in set_pass.once(ExplanationPass(), tiny, photos, (explanation,), batch_size=2):
            assert free()
            break
        list(set_pass.once(ExplanationPass(), tiny, photos, (Explanation(Gradient()),), batch_size=2))
    assert {what for _, _, what in said} == {"Explaining images"} and {total for _, total, _ in said} == {7}
    dones = [done for done, _, _ in said]
    restart = next(i for i in range(1, len(dones)) if dones[i] == 0 and dones[i - 1] > 0)
    for part in (dones[:restart], dones[restart:]):
        assert part == sorted(part)


def test_costly_methods_are_explained_in_short_batches(tiny, photos) -> None:
    def batches(method: Method) -> int:
        return len(list(set_pass.once(ExplanationPass(), tiny, photos, (Explanation(method),))))

    assert batches(Gradient()) == 1
    assert batches(IntegratedGradients(steps=60)) == 7


def test_the_boxed_photographs_are_all_explained(imagenet) -> None:
    classifier = models.load("squeezenet1_1", weights=imagenet / "squeezenet1_1-imagenet.safetensors")
    photos = load(imagenet, annotations=imagenet / "boxes.coco.json")
    [found] = explained(classifier, photos, Explanation(GradCam()))
    assert isinstance(found, Explained) and len(found) == 18 and not found.problems
    assert (found.labels >= 0).all() and found.annotations.any(axis=(1, 2)).all()
