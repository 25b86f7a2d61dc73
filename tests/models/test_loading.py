import csv
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from interp import models
from interp.models import precision, torchvision_models
from interp.models.fingerprint import fingerprint
from interp.models.normalize import assemble
from interp.types import Classifier

SQUEEZENET = "squeezenet1_1-imagenet.safetensors"


@pytest.fixture(scope="module")
def squeezenet(imagenet: Path) -> Classifier:
    return models.load("squeezenet1_1", weights=imagenet / SQUEEZENET, device="cpu")


@pytest.fixture(scope="module")
def rows(imagenet: Path) -> list[dict[str, str]]:
    with (imagenet / "index.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_real_classifier_recognizes_real_photographs(squeezenet, imagenet, rows):
    right = 0
    some = rows[::4]
    for start in range(0, len(some), 10):
        part = some[start : start + 10]
        batch = squeezenet.prepare([Image.open(imagenet / "images" / row["file"]) for row in part])
        classes = torch.tensor([int(row["class_index"]) for row in part])
        right += int((squeezenet.logits(batch).argmax(dim=1) == classes).sum())
    assert right / len(some) >= 0.6


def test_the_real_classifier_is_described(squeezenet, rows):
    assert squeezenet.last_spatial_layer.name == "features.12"
    assert all(squeezenet.wordnet_ids[int(row["class_index"])] == row["wnid"] for row in rows)
    assert list(squeezenet.wordnet_ids) == sorted(squeezenet.wordnet_ids)
    for column, by in (("wnid", "wordnet id"), ("label", "name"), ("class_index", "index")):
        found = models.match_labels([row[column] for row in rows], squeezenet)
        assert (found.by, found.unmatched) == (by, ())
        assert found.indices == tuple(int(row["class_index"]) for row in rows)
    assert not any(parameter.requires_grad for parameter in squeezenet.module.parameters())
    assert not any(getattr(part, "inplace", False) for part in squeezenet.module.modules())


@pytest.mark.parametrize("architecture", ["squeezenet1_1", "resnet50", "efficientnet_b0", "googlenet", "inception_v3"])
def test_preprocessing_equals_torchvisions_own(imagenet, rows, architecture):
    from torchvision.models import get_model_weights

    published = get_model_weights(architecture)["DEFAULT"]
    recipe = torchvision_models.recipe(architecture, None, None)
    normalize = assemble(torch.nn.Identity(), recipe.mean, recipe.std)
    for row in rows[:200:20]:
        picture = Image.open(imagenet / "images" / row["file"]).convert("RGB")
        expected = published.transforms()(picture)
        if architecture in torchvision_models.AUXILIARY:
            network = torch.nn.Module.__new__(_transforming())
            network.transform_input = True
            expected = network._transform_input(expected[None])[0]
        assert torch.allclose(normalize(recipe.preprocessing.pixels(picture)[None])[0], expected, atol=1e-6)


def _transforming() -> type:
    from torchvision.models import Inception3

    return Inception3


def test_published_weights_bring_their_own_preprocessing(tmp_path):
    first = torchvision_models.recipe("resnet50", tmp_path / "resnet50-0676ba61.pth", None)
    other = torchvision_models.recipe("resnet50", tmp_path / "mine.pth", None)
    assert (first.preprocessing.resize, other.preprocessing.resize) == (256, 232)


def test_old_names_of_tensors_are_todays():
    renamed = torchvision_models.recipe("densenet121", "random", None).rename
    assert renamed("features.denseblock1.denselayer2.norm.1.weight") == "features.denseblock1.denselayer2.norm1.weight"
    assert renamed("encoder.layers.encoder_layer_3.mlp.linear_1.bias") == "encoder.layers.encoder_layer_3.mlp.0.bias"
    assert renamed("encoder.layers.encoder_layer_3.mlp.linear_2.bias") == "encoder.layers.encoder_layer_3.mlp.3.bias"


def test_digits_recognizes_held_out_digits():
    from interp import images
    from interp.images.digits import split

    one, photos = models.load("digits", device="cpu"), images.load("digits")
    held_out = split()[1]
    batch = one.prepare([photos[index].image for index in held_out])
    classes = torch.tensor([int(photos.labels[index]) for index in held_out])
    accuracy = float((one.logits(batch).argmax(dim=1) == classes).float().mean())
    assert accuracy >= 0.97
    assert f"{accuracy:.1%}" in one.notes[0]
    assert (one.last_spatial_layer.name, one.last_spatial_layer.height) == ("conv5", 8)
    from interp.models.digits import WEIGHTS

    assert WEIGHTS.stat().st_size < 500_000


def test_random_weights_are_seeded_and_said():
    one, two = (models.load("digits", weights="random", device="cpu") for _ in range(2))
    assert one.fingerprint == two.fingerprint != models.load("digits", device="cpu").fingerprint
    assert "random" in one.name and any("random" in note for note in one.notes)


def test_fingerprints_tell_every_part_apart(tmp_path):
    from interp.models.digits import LABELS, WEIGHTS

    whole = models.load("digits", device="cpu")
    assert models.load("digits", device="cpu").fingerprint == whole.fingerprint
    state = load_file(WEIGHTS)
    state["conv3.0.bias"][5] += 1e-6
    save_file(state, tmp_path / "w.safetensors")
    other_weights = models.load("digits", weights=tmp_path / "w.safetensors", device="cpu")
    other_labels = models.load("digits", labels=[*LABELS[:9], "nine"], device="cpu")
    assert len({whole.fingerprint, other_weights.fingerprint, other_labels.fingerprint}) == 3
    from dataclasses import replace

    from interp.models.digits import recipe

    described = recipe(None, None)
    network = whole.module.get_submodule("network")
    shifted = assemble(network, (0.3, 0.3, 0.31), described.std)
    said = ["softmax", False, False]
    assert fingerprint(whole.module, described, also=said) == whole.fingerprint
    assert fingerprint(shifted, described, also=said) != whole.fingerprint
    assert fingerprint(whole.module, described, also=["sigmoid", True, False]) != whole.fingerprint
    cropped = replace(described, preprocessing=replace(described.preprocessing, interpolation="nearest"))
    assert fingerprint(whole.module, cropped, also=said) != whole.fingerprint
    contiguous = assemble(network, described.mean, described.std).to(memory_format=torch.contiguous_format)
    assert fingerprint(contiguous, described, also=said) == whole.fingerprint


def test_a_fingerprint_of_many_weights_is_quick():
    module = assemble(torch.nn.Sequential(*[torch.nn.Linear(1000, 1000) for _ in range(25)]), (0.0,) * 3, (1.0,) * 3)
    described = torchvision_models.recipe("resnet50", "random", None)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        fingerprint(module, described)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.5


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"name": "resnet5"}, "Did you mean resnet50"),
        ({"name": "zzz"}, "Give .scenes-honest., a model of torchvision, or a TOML file"),
        ({"name": "deeplabv3_resnet50"}, "no classifier 'deeplabv3_resnet50'"),
        ({"name": "digits", "device": "cuda:77"}, "no device 'cuda:77'.*cpu"),
        ({"name": "digits", "device": "tpu"}, "no device 'tpu'"),
        ({"name": "digits", "precision": "int8"}, "no precision 'int8'"),
        ({"name": "digits", "labels": ["a"]}, "10 outputs, and 1 labels"),
        ({"name": "resnet18", "labels": ["a", "b"]}, "1000 classes, and 2 labels"),
        ({"name": "digits", "weights": "nowhere.safetensors"}, "no file of weights at nowhere.safetensors"),
        ({"name": "../../etc/passwd"}, "no classifier"),
        ({"name": ""}, "no classifier ''"),
        ({"name": "nowhere.toml"}, "no file .*nowhere.toml"),
    ],
)
def test_a_wrong_argument_is_named(arguments, words):
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        models.load(**arguments)


def test_weights_of_another_architecture_are_refused(imagenet):
    with pytest.raises(ValueError, match="another architecture") as raised:
        models.load("resnet18", weights=imagenet / SQUEEZENET)
    assert SQUEEZENET in str(raised.value)


def test_the_device_is_chosen():
    assert models.choose_device("cpu") == torch.device("cpu")
    assert str(models.choose_device("auto")) == models.available_devices()[0]


def test_a_failing_device_falls_back_with_a_note(monkeypatch):
    from interp.models import loading

    # No kernel runs on the device that holds no numbers.
    monkeypatch.setattr(loading, "choose_device", lambda device: torch.device("meta"))
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *arguments, **more: self)
    one = models.load("digits")
    assert one.device == torch.device("cpu")
    assert any("meta failed" in note for note in one.notes)


def test_bfloat16_is_taken_only_where_it_agrees(monkeypatch):
    whole = models.load("digits", device="cpu")
    images = precision.noise_pictures(whole)
    found = precision.agreement(whole, images)
    assert 0 <= found.probability_difference <= 1 and -1 <= found.gradient_cosine <= 1.001
    monkeypatch.setattr(precision, "GRADIENT_COSINE", 2.0)
    refused = models.load("digits", device="cpu", precision="bfloat16")
    assert refused.fingerprint == whole.fingerprint and "float32, since" in refused.notes[-1]
    monkeypatch.setattr(precision, "GRADIENT_COSINE", -1.0)
    monkeypatch.setattr(precision, "PROBABILITY_DIFFERENCE", 1.0)
    monkeypatch.setattr(precision, "TOP1_AGREEMENT", 0.0)
    taken = models.load("digits", device="cpu", precision="bfloat16")
    assert taken.fingerprint != whole.fingerprint and "in bfloat16" in taken.notes[-1]
    logits = taken.logits(images)
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, whole.logits(images), atol=0.5) and not torch.equal(logits, whole.logits(images))


@pytest.mark.usefixtures("tried_here")
def test_what_was_understood_of_a_labels_file_is_said(grey_folder: Path, tmp_path: Path):
    from tests import grey

    (tmp_path / "numbers.csv").write_text("index,label\n" + "".join(f"{i},number {i}\n" for i in reversed(range(10))))
    one = models.load(grey.NAME, folder=grey_folder, labels=tmp_path / "numbers.csv", device="cpu")
    assert one.labels == tuple(f"number {i}" for i in range(10))
    assert any("numbers.csv" in finding.text and "index and label" in finding.text for finding in one.findings)
