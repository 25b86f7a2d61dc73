import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from interp import images, progress, set_pass
from interp.embedding.features import FeaturePass, features, features_of_layers
from interp.embedding.representations import Representation
from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.models import inputs
from interp.models.layers import find_layers
from interp.models.normalize import assemble
from interp.set_pass.work import LARGEST_BATCH
from interp.types import Classifier, Layer, Preprocessing
from tests.steps import finished

SIZE = 13


def drawn(pictures: list[Image.Image]) -> ImageSet:
    names = [f"image-{number:02}.png" for number in range(len(pictures))]
    read = [DecodedImage(picture) for picture in pictures].__getitem__
    return ImageSet(name="drawn", description="", fingerprint="drawn", names=names, read=read)


def noise(count: int, size: int = 20) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (size, size + 4, 3), dtype=np.uint8)) for _ in range(count)]


def one_by_one(classifier: Classifier, photos: ImageSet, module: str) -> torch.Tensor:
    """The oracle: one image at a time, a plain hook, and no batches."""
    rows = []
    handle = classifier.module.get_submodule(f"network.{module}").register_forward_hook(
        lambda part, given, output: rows.append(output.detach().clone())
    )
    for sample in photos:
        classifier.module(classifier.preprocessing.pixels(sample.image)[None])
    handle.remove()
    return torch.cat(rows)


def classifier_of(network: nn.Module, size: int) -> Classifier:
    module = assemble(network, (0.0,) * 3, (1.0,) * 3)
    preprocessing = Preprocessing((size, size), size)
    found = find_layers(module, preprocessing)
    with torch.no_grad():
        labels = tuple(map(str, range(module(torch.zeros(1, 3, size, size)).shape[1])))
    place = torch.device("cpu")
    return Classifier("net", module, labels, found.layers, preprocessing, place, "net", "net", None, (), found.default)


class Transformer(nn.Module):
    """A class token before four patches, mixed by one linear map."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 8, stride=8)
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        tokens = self.mix(torch.cat([patches.mean(dim=1, keepdim=True), patches], dim=1))
        return self.head(tokens[:, 0])


@pytest.fixture
def photos() -> ImageSet:
    return drawn(noise(SIZE))


@pytest.fixture
def broken(tmp_path: Path) -> ImageSet:
    for number, picture in enumerate(noise(SIZE)):
        picture.save(tmp_path / f"image-{number:02}.png")
    (tmp_path / "image-05.png").write_bytes((tmp_path / "image-05.png").read_bytes()[:60])
    return images.load(tmp_path)


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_every_pooling_agrees_with_one_image_at_a_time(tiny: Classifier, photos: ImageSet, layer: str) -> None:
    maps = one_by_one(tiny, photos, layer)
    expected = {
        "mean": maps.flatten(2).mean(dim=2),
        "max": maps.flatten(2).max(dim=2).values,
        "flat": maps.flatten(1),
        "positions": maps.flatten(2).transpose(1, 2).flatten(0, 1),
    }
    for pooling, values in expected.items():
        found = features(tiny, photos, layer=layer, pooling=pooling)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, values, atol=1e-5, err_msg=pooling)


def test_pooled_values_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, -1, 0]])[:, :, None, None])
        network[0].bias.copy_(torch.tensor([0.0, 0.5]))
    one = classifier_of(network, 16)
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:, :4, 0], picture[:, 4:, 1] = 255, 255
    photos = drawn([Image.fromarray(picture)])
    np.testing.assert_allclose(features(one, photos, layer="0"), [[0.25, -0.25]], atol=1e-6)
    np.testing.assert_allclose(features(one, photos, layer="0", pooling="max"), [[1, 0.5]], atol=1e-6)
    rows = features(one, photos, layer="0", pooling="positions").reshape(16, 16, 2)
    np.testing.assert_allclose(rows[5], [[1, 0.5]] * 4 + [[0, -0.5]] * 12, atol=1e-6)
    flat = features(one, photos, layer="0", pooling="flat").reshape(2, 16, 16)
    np.testing.assert_allclose(flat[1, 5], [0.5] * 4 + [-0.5] * 12, atol=1e-6)


def test_the_layer_left_out_is_the_last_spatial_one(tiny: Classifier, photos: ImageSet) -> None:
    np.testing.assert_array_equal(features(tiny, photos), features(tiny, photos, layer="conv2"))


def test_logits_and_flat_layers_are_taken_as_they_are(tiny: Classifier, photos: ImageSet) -> None:
    one = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    expected = one_by_one(one, photos, "linear")
    for pooling in ("mean", "max", "flat"):
        np.testing.assert_allclose(features(one, photos, layer="linear", pooling=pooling), expected, atol=1e-5)
        np.testing.assert_allclose(features(one, photos, layer="logits", pooling=pooling), expected, atol=1e-5)
    with pytest.raises(ValueError, match="no positions"):
        features(one, photos, layer="linear", pooling="positions")


def test_pixels_are_averaged_over_areas_and_need_no_pass(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pass(pixels: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a pass")

    monkeypatch.setattr(tiny.module, "forward", no_pass)
    one = replace(tiny, preprocessing=Preprocessing((64, 64), 64))
    photos = drawn([picture.resize((64, 64)) for picture in noise(3)])
    expected = [
        (np.asarray(sample.image, float) / 255).reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1).ravel()
        for sample in photos
    ]
    found = features(one, photos, layer="pixels")
    assert found.shape == (3, 3 * 32 * 32)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert features(tiny, photos, layer="pixels").shape == (3, 3 * 16 * 16)


def test_tokens_are_the_map_of_their_grid_without_the_class_token() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        one = classifier_of(Transformer(), 16)
    assert [layer.kind for layer in one.layers if layer.name == "mix"] == ["tokens"]
    photos = drawn(noise(3))
    tokens = one_by_one(one, photos, "mix")
    found = {
        pooling: features(one, photos, layer="mix", pooling=pooling)
        for pooling in ("mean", "max", "flat", "positions", "class_token")
    }
    np.testing.assert_allclose(found["mean"], tokens[:, 1:].mean(dim=1), atol=1e-5)
    np.testing.assert_allclose(found["max"], tokens[:, 1:].max(dim=1).values, atol=1e-5)
    np.testing.assert_allclose(found["flat"], tokens[:, 1:].transpose(1, 2).flatten(1), atol=1e-5)
    np.testing.assert_allclose(found["positions"], tokens[:, 1:].flatten(0, 1), atol=1e-5)
    np.testing.assert_allclose(found["class_token"], tokens[:, 0], atol=1e-5)


def test_several_layers_come_from_one_pass(tiny: Classifier, photos: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = ["conv2", "pixels", "conv1", "logits"]
    alone = {layer: features(tiny, photos, layer=layer) for layer in layers}
    passes, forward = [], tiny.module.forward

    def counted(pixels: torch.Tensor) -> torch.Tensor:
        passes.append(len(pixels))
        return forward(pixels)

    monkeypatch.setattr(tiny.module, "forward", counted)
    found = features_of_layers(tiny, photos, layers)
    assert sum(passes) == SIZE and list(found) == layers
    for layer in layers:
        np.testing.assert_allclose(found[layer], alone[layer], atol=1e-6)


def test_a_layer_may_be_asked_for_twice_and_changed_in_place_afterwards(tiny: Classifier, photos: ImageSet) -> None:
    # The rectifier after conv1 works in place: what was read must not change with it.
    wanted = [Representation("conv1", "flat"), Representation("conv2"), Representation(), Representation("conv1")]
    flat, last, default, mean = finished(set_pass.once(FeaturePass(), tiny, photos, wanted))[1]
    assert flat.values.min() < 0 and mean.values.shape == (SIZE, 4)
    np.testing.assert_array_equal(last.values, default.values)


def test_positions_are_taken_in_the_order_given(tiny: Classifier, photos: ImageSet) -> None:
    whole = features(tiny, photos)
    np.testing.assert_allclose(features(tiny, photos, positions=[7, 0, 7]), whole[[7, 0, 7]], atol=1e-6)
    np.testing.assert_allclose(features(tiny, photos, positions=np.array([12, 3])), whole[[12, 3]], atol=1e-6)
    assert features(tiny, photos, positions=[]).shape == (0, 6)
    for wrong, message in ([13], "Image 13 does not exist"), ([-1], "Image -1"), (np.array([0.5]), "whole numbers"):
        with pytest.raises(ValueError, match=message):
            features(tiny, photos, positions=wrong)


def test_all_so_far_comes_batch_by_batch_and_stays(tiny: Classifier, photos: ImageSet) -> None:
    whole = features(tiny, photos)
    parts, (last,) = finished(set_pass.once(FeaturePass(), tiny, photos, [Representation("conv2")], batch_size=5))
    assert [len(part) for (part,) in parts] == [5, 10, 13]
    for (part,) in parts:
        np.testing.assert_allclose(part.values, whole[: len(part)], atol=1e-6)
        assert part.indices.tolist() == list(range(len(part)))
    assert last.values.base is parts[0][0].values.base
    assert last.representation == Representation("conv2", "mean") and last.problems == ()


def test_an_unreadable_image_becomes_a_problem_and_the_rest_goes_on(tiny: Classifier, broken: ImageSet) -> None:
    wanted = [Representation("conv2"), Representation("conv2", "positions")]
    parts, (found, cells) = finished(set_pass.once(FeaturePass(), tiny, broken, wanted, batch_size=1))
    others = [number for number in range(SIZE) if number != 5]
    assert found.indices.tolist() == others
    assert cells.indices.tolist() == np.repeat(others, 64).tolist()
    assert [problem.name for problem in found.problems] == ["image-05.png"] and found.problems[0].reason
    assert len(parts[5][0]) == 5 and parts[4][0].problems == ()
    np.testing.assert_allclose(
        found.values, one_by_one(tiny, drawn(noise(SIZE)), "conv2").mean(dim=(2, 3))[others], atol=1e-6
    )


def test_an_array_has_nan_where_an_image_could_not_be_read(tiny: Classifier, broken: ImageSet) -> None:
    class Hears:
        said: list[str] = []

        def step(self, done: int, total: int, what: str) -> None:
            pass

        def remark(self, text: str) -> None:
            self.said.append(text)

    with progress.listening(Hears()):
        found = features(tiny, broken)
    assert np.isnan(found).all(axis=1).nonzero()[0].tolist() == [5]
    assert len(Hears.said) == 1 and "image-05.png" in Hears.said[0]
    cells = features(tiny, broken, pooling="positions", positions=[4, 5]).reshape(2, 64, 6)
    assert np.isfinite(cells[0]).all() and np.isnan(cells[1]).all()


def test_features_that_are_not_numbers_name_the_image(tiny: Classifier, photos: ImageSet) -> None:
    tiny.module.get_parameter("network.conv2.bias").fill_(torch.nan)
    with pytest.raises(ValueError, match="conv2 .* image-00.png"):
        features(tiny, photos)
    assert np.isfinite(features(tiny, photos, layer="conv1")).all()


def test_no_more_than_two_batches_of_images_are_held(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    held: weakref.WeakSet = weakref.WeakSet()
    most, guard, attempt = [], threading.Lock(), inputs.attempt

    def counted(*arguments) -> inputs.Input:
        one = attempt(*arguments)
        with guard:
            held.add(one)
            most.append(len(held))
        return one

    monkeypatch.setattr(inputs, "attempt", counted)
    found = features_of_layers(tiny, drawn(noise(1) * 300), ["conv1"])["conv1"]
    assert len(most) == len(found) == 300 and max(most) <= 2 * LARGEST_BATCH


def test_the_next_images_are_decoded_while_the_classifier_runs(
    tiny: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded, forward = threading.Event(), tiny.module.forward
    pictures = noise(8)

    def read(position: int) -> DecodedImage:
        if position == 7:
            decoded.set()
        return DecodedImage(pictures[position])

    def waits(pixels: torch.Tensor) -> torch.Tensor:
        assert decoded.wait(5), "the second batch was not read during the first pass"
        return forward(pixels)

    monkeypatch.setattr(tiny.module, "forward", waits)
    photos = ImageSet(name="eight", description="", fingerprint="8", names=list("abcdefgh"), read=read)
    assert len(finished(set_pass.once(FeaturePass(), tiny, photos, [Representation("conv2")], batch_size=4))[0]) == 2


def test_out_of_memory_halves_the_batch(tiny: Classifier, photos: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, forward = features(tiny, photos), tiny.module.forward

    def small(pixels: torch.Tensor) -> torch.Tensor:
        if len(pixels) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(pixels)

    monkeypatch.setattr(tiny.module, "forward", small)
    np.testing.assert_allclose(features(tiny, photos), expected, atol=1e-6)


def test_the_lock_is_free_and_no_hook_is_left_between_two_batches(tiny: Classifier, photos: ImageSet) -> None:
    steps = set_pass.once(FeaturePass(), tiny, photos, [Representation("conv2")], batch_size=2)
    next(steps)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(tiny.lock.acquire, blocking=False).result()
        other.submit(tiny.lock.release).result()
    assert not any(part._forward_hooks for part in tiny.module.modules())
    steps.close()


def test_threads_do_not_disturb_one_another(tiny: Classifier, photos: ImageSet) -> None:
    layers = ["conv1", "conv2", "logits", "pixels"] * 3
    alone = {layer: features(tiny, photos, layer=layer) for layer in layers}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda layer: features(tiny, photos, layer=layer), layers))
    for layer, values in zip(layers, found, strict=True):
        np.testing.assert_allclose(values, alone[layer], atol=1e-6)


def test_an_empty_set_and_one_image(tiny: Classifier) -> None:
    assert features(tiny, drawn([])).shape == (0, 6)
    assert features(tiny, drawn(noise(1))).shape == (1, 6)


@pytest.mark.slow
def test_neighbours_share_the_group_more_often_at_the_last_layer_than_in_pixels(
    squeezenet: Classifier, imagenet: Path
) -> None:
    photos = images.load(imagenet)
    groups = np.array(photos.groups)
    shared = {}
    for layer, values in features_of_layers(squeezenet, photos, ["pixels", "features.12"]).items():
        unit = values - values.mean(axis=0)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        likeness = unit @ unit.T
        np.fill_diagonal(likeness, -2)
        shared[layer] = (groups[np.argsort(-likeness, axis=1)[:, :5]] == groups[:, None]).mean()
    assert shared["features.12"] > shared["pixels"] + 0.15
