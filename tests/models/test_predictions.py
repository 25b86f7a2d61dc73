import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interp import images, progress, set_pass
from interp.channels.over_set import AttributionPass, SetTarget
from interp.embedding import FeaturePass, Representation
from interp.models import known_shares
from interp.models import predictions as module
from interp.models.predictions import merge, predict
from interp.types import Classifier
from tests.steps import finished

SIZE = 23


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(SIZE):
        pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"image-{number:02}.png")
    return tmp_path


def test_batches_agree_with_one_image_at_a_time(tiny: Classifier, folder: Path):
    photos = images.load(folder)
    labels = [number % 3 for number in range(SIZE)]
    parts, whole = finished(predict(tiny, photos, labels=labels, batch_size=5))
    assert [len(part) for part in parts] == [5, 10, 15, 20, 23]
    assert whole.indices.tolist() == list(range(SIZE))
    for row in range(SIZE):
        alone = tiny.probabilities(tiny.prepare([photos[row].image]))[0]
        order = alone.argsort(descending=True)
        assert whole.classes[row].tolist() == order.tolist()
        assert whole.probabilities[row] == pytest.approx(alone[order].numpy(), abs=1e-6)
        assert whole.label_probability[row] == pytest.approx(float(alone[labels[row]]), abs=1e-6)
        assert whole.right[row] == (order[0] == labels[row])


def test_images_without_label(tiny: Classifier, folder: Path):
    labels = [None] * (SIZE - 1) + [2]
    _, whole = finished(predict(tiny, images.load(folder), labels=labels))
    assert whole.labels.tolist() == [-1] * (SIZE - 1) + [2]
    assert np.isnan(whole.label_probability[:-1]).all() and not np.isnan(whole.label_probability[-1])
    assert not whole.right[:-1].any()
    assert whole.labelled.sum() == 1


def test_an_unreadable_image_becomes_a_problem_and_the_rest_goes_on(tiny: Classifier, folder: Path):
    (folder / "image-03.png").write_bytes((folder / "image-03.png").read_bytes()[:60])
    parts, whole = finished(predict(tiny, images.load(folder), labels=[0] * SIZE, batch_size=1))
    assert whole.indices.tolist() == [number for number in range(SIZE) if number != 3]
    assert [problem.name for problem in whole.problems] == ["image-03.png"]
    assert whole.problems[0].reason
    assert len(parts[2]) == len(parts[3]) == 3 and not parts[2].problems


def test_arrays_are_compact(tiny: Classifier, folder: Path):
    _, whole = finished(predict(tiny, images.load(folder), labels=[1] * SIZE))
    arrays = [whole.indices, whole.classes, whole.probabilities, whole.labels, whole.label_probability]
    assert [array.dtype.itemsize for array in arrays] == [4] * 5


def test_out_of_memory_halves_the_batch(tiny: Classifier, folder: Path, monkeypatch: pytest.MonkeyPatch):
    photos = images.load(folder)
    _, expected = finished(predict(tiny, photos, labels=[1] * SIZE))
    forward = tiny.module.forward

    def small(pixels: torch.Tensor) -> torch.Tensor:
        if len(pixels) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(pixels)

    monkeypatch.setattr(tiny.module, "forward", small)
    known_shares.KNOWN.clear()
    parts, whole = finished(predict(tiny, photos, labels=[1] * SIZE, batch_size=16))
    assert np.diff([len(part) for part in parts], prepend=0).max() == 4
    np.testing.assert_array_equal(whole.indices, expected.indices)
    np.testing.assert_allclose(whole.probabilities, expected.probabilities, atol=1e-6)


def test_only_what_changed_is_predicted_again(tiny: Classifier, folder: Path):
    seen: list[int] = []
    tiny.module.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
    labels = [number % 3 for number in range(SIZE)]
    # What changed within the last instant could change again and look the same.
    time.sleep(0.1)
    _, before = finished(predict(tiny, images.load(folder), labels=labels))
    Image.new("RGB", (20, 24), "red").save(folder / "image-07.png")
    (folder / "image-11.png").unlink()
    seen.clear()
    time.sleep(0.1)
    photos = images.load(folder)
    _, after = finished(predict(tiny, photos, labels=labels[: SIZE - 1]))
    assert seen == [1] and after.indices.tolist() == list(range(SIZE - 1))
    known_shares.KNOWN.clear()
    _, fresh = finished(predict(tiny, photos, labels=labels[: SIZE - 1]))
    assert sum(seen) == 1 + SIZE - 1
    for name in ("classes", "labels"):
        np.testing.assert_array_equal(getattr(after, name), getattr(fresh, name))
    np.testing.assert_allclose(after.label_probability, fresh.label_probability, atol=1e-6)
    assert not np.array_equal(after.probabilities[7], before.probabilities[7])


def test_what_a_pass_for_something_else_has_seen_is_not_predicted_again(tiny: Classifier, folder: Path):
    seen: list[int] = []
    time.sleep(0.1)
    photos = images.load(folder)
    labels = [number % 3 for number in range(SIZE)]
    _, alone = finished(predict(tiny, photos, labels=labels))
    for work, item in (
        (FeaturePass(), Representation("conv1", "mean").resolved(tiny)),
        (AttributionPass(), SetTarget("conv2", "predicted")),
    ):
        known_shares.KNOWN.clear()
        set_pass.returned(set_pass.once(work, tiny, photos, (item,)))
        handle = tiny.module.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
        _, after = finished(predict(tiny, photos, labels=labels))
        handle.remove()
        assert seen == []
        np.testing.assert_array_equal(after.classes, alone.classes)
        np.testing.assert_allclose(after.probabilities, alone.probabilities, atol=1e-6)


def test_of_a_part_the_same_is_known(tiny: Classifier, folder: Path):
    time.sleep(0.1)
    photos = images.load(folder)
    _, whole = finished(predict(tiny, photos, labels=[1] * SIZE))
    _, part = finished(predict(tiny, images.subset(photos, [5, 2]), labels=[1, 1]))
    np.testing.assert_array_equal(part.probabilities, whole.probabilities[[5, 2]])


def test_lock_is_free_while_suspended_and_threads_end_after_closing(tiny: Classifier, folder: Path):
    generator = predict(tiny, images.load(folder), labels=[1] * SIZE, batch_size=2)
    next(generator)
    free = []
    other = threading.Thread(target=lambda: free.append(tiny.lock.acquire(blocking=False)))
    other.start()
    other.join()
    assert free == [True]
    generator.close()
    for thread in threading.enumerate():
        if thread.name.startswith("decode"):
            thread.join(timeout=5)
            assert not thread.is_alive()


def test_stops_at_the_next_report(tiny: Classifier, folder: Path):
    class Stop(BaseException):
        pass

    class Impatient:
        def step(self, done: int, total: int, what: str) -> None:
            assert total == SIZE
            if done >= 4:
                raise Stop

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    parts, photos = [], images.load(folder)
    with pytest.raises(Stop), progress.listening(Impatient()):
        parts.extend(predict(tiny, photos, labels=[1] * SIZE, batch_size=2))
    assert len(parts) == 2


@pytest.mark.parametrize(("labels", "message"), [([0], "1 labels for 23 images"), ([0] * 22 + [3], "Class 3 does not")])
def test_labels_that_do_not_fit(tiny: Classifier, folder: Path, labels: list[int], message: str):
    with pytest.raises(ValueError, match=message):
        next(predict(tiny, images.load(folder), labels=labels))


def test_probabilities_that_are_not_numbers_name_the_image(tiny: Classifier, folder: Path):
    tiny.module.get_parameter("network.linear.bias").fill_(torch.nan)
    with pytest.raises(ValueError, match="image-00.png"):
        next(predict(tiny, images.load(folder), labels=[0] * SIZE))


def test_merging_nothing_gives_predictions_for_no_image():
    nothing = merge(())
    assert len(nothing) == 0
    assert nothing.predicted.shape == nothing.confidence.shape == nothing.right.shape == (0,)


def test_a_set_without_images(tiny: Classifier, folder: Path):
    for file in folder.iterdir():
        file.unlink()
    (folder / "one.png").write_bytes(b"no picture")
    _, whole = finished(predict(tiny, images.load(folder), labels=[0]))
    assert len(whole) == 0 and len(whole.problems) == 1 and whole.classes.shape == (0, 3)


def test_real_photographs(imagenet: Path):
    from safetensors.torch import load_file
    from torch import nn
    from torchvision.models import squeezenet1_1

    assert module.TOP == 5
    with torch.device("meta"):
        network = squeezenet1_1()
    network.load_state_dict(load_file(imagenet / "squeezenet1_1-imagenet.safetensors"), assign=True)
    classifier = _classifier(nn.Sequential(), network.eval())
    whole_set = images.load(imagenet / "images")
    photos = images.subset(whole_set, range(0, len(whole_set), 4))
    labels = [5 * number for number in range(0, len(whole_set), 4)]
    _, whole = finished(predict(classifier, photos, labels=labels))
    assert whole.right.mean() >= 0.6
    assert (whole.classes == whole.labels[:, None]).any(axis=1).mean() >= 0.8


def _classifier(module: torch.nn.Sequential, network: torch.nn.Module) -> Classifier:
    from torchvision.transforms import Normalize

    from interp.types import Preprocessing

    class Normalization(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(pixels)

    module.add_module("normalize", Normalization())
    module.add_module("network", network)
    return Classifier(
        name="squeezenet1_1",
        module=module.eval(),
        labels=tuple(str(number) for number in range(1000)),
        layers=(),
        preprocessing=Preprocessing(crop=(224, 224), resize=256),
        device=torch.device("cpu"),
        fingerprint="squeezenet1_1",
        architecture="squeezenet1_1",
    )
