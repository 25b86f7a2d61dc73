"""Every unit removed alone: against full passes with a hook, by hand, in parts, and with what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import cache
from interp import set_pass
from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.set_pass import of_chunk, returned
from interp.types import Classifier, Layer, Preprocessing
from interp.units.ablation import UnitAblation
from interp.units.ablation_removal import Removal
from interp.units.ablation_sums import UNIT, AblationSums
from interp.units.counting import UnitPass
from interp.units.counts import Counted, merged
from tests.networks import calibrated
from tests.passes.test_resuming import classifier_of, transformer

LABELS = ("cat", "dog", None, "fish", "dog", "broken", "zebra", "fish", "cat", "dog")
KNOWN = [position for position, label in enumerate(LABELS) if label in ("cat", "dog", "fish")]


def noise_set(labels: tuple[str | None, ...] = LABELS, size: int = 16) -> ImageSet:
    """Seeded pictures: some without label, of an unknown class, or broken."""

    def read(position: int) -> DecodedImage:
        if labels[position] == "broken":
            raise UnreadableImage(f"{position}.png", "the file is damaged")
        pixels = np.random.default_rng(position).integers(0, 255, (size, size, 3), np.uint8)
        return DecodedImage(Image.fromarray(pixels))

    names = [f"{one}.png" for one in range(len(labels))]
    return ImageSet(
        name="noise", description="", fingerprint="noise", names=names, read=read, label_forms={"label": labels}
    )


@pytest.fixture
def photos() -> ImageSet:
    return noise_set()


def replaced_logits(
    classifier: Classifier, pixels: torch.Tensor, layer: str, change: Callable[[torch.Tensor], None]
) -> torch.Tensor:
    """The logits of one image by a full pass in which a hook changes what the layer gives."""

    def hook(module, given, output):
        output = output.clone()
        change(output)
        return output

    handle = classifier.module.get_submodule(f"network.{layer}").register_forward_hook(hook)
    with torch.no_grad():
        logits = classifier.module(pixels)[0]
    handle.remove()
    return logits


def slow_sums(
    classifier: Classifier, photos: ImageSet, removal: Removal, positions: list[int]
) -> dict[str, np.ndarray]:
    """The sums by one full pass for each image and unit, in double precision where they are real."""
    layer, classes = classifier.layer(removal.layer), len(classifier.labels)
    shape = (layer.channels, classes)
    sums = {name: np.zeros(shape) for name in ("right", "predicted", "logit", "probability")}
    for position in positions:
        pixels = classifier.prepare([photos[position].image]).pixels
        own = classifier.labels.index(photos.labels[position])
        with torch.no_grad():
            whole = classifier.module(pixels)[0]
        for unit in range(layer.channels):

            def change(output: torch.Tensor, unit: int = unit) -> None:
                part = output.transpose(1, layer.channel_axis)[:, unit]
                if removal.mean is None:
                    part.zero_()
                elif removal.mean.ndim == 1 and layer.kind != "flat":
                    part.fill_(float(removal.mean[unit]))
                else:
                    mean = torch.from_numpy(removal.mean)[None].transpose(1, layer.channel_axis)[:, unit]
                    part.copy_(mean)

            left = replaced_logits(classifier, pixels, layer.name, change)
            sums["right"][unit, own] += int(left.argmax() == own) - int(whole.argmax() == own)
            sums["predicted"][unit, left.argmax()] += 1
            sums["predicted"][unit, whole.argmax()] -= 1
            sums["logit"][unit, own] += float(left[own] - whole[own])
            sums["probability"][unit, own] += float(classifier.linked(left[None])[0, own])
            sums["probability"][unit, own] -= float(classifier.linked(whole[None])[0, own])
    return sums


def assert_as_slow(found: AblationSums, slow: dict[str, np.ndarray], atol: float = 2e-5) -> None:
    np.testing.assert_array_equal(found.right_change, slow["right"])
    np.testing.assert_array_equal(found.predicted_change, slow["predicted"])
    np.testing.assert_allclose(found.logit_change * UNIT, slow["logit"], atol=atol)
    np.testing.assert_allclose(found.probability_change * UNIT, slow["probability"], atol=atol)


def item_of(removal: Removal) -> UnitAblation:
    return UnitAblation(removal.layer, removal.to, removal.mean)


def counted(classifier: Classifier, photos: ImageSet, removal: Removal, positions=None) -> Counted[AblationSums]:
    return returned(set_pass.once(UnitPass(), classifier, photos, (item_of(removal),), positions))[0]


def ablated(classifier: Classifier, photos: ImageSet, removal: Removal, positions=None) -> AblationSums:
    return counted(classifier, photos, removal, positions).value


def means(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).random(shape).astype(np.float32)


@pytest.mark.parametrize(
    "removal",
    [
        Removal("conv1"),
        Removal("conv2"),
        Removal("conv1", "mean", means((4,))),
        Removal("conv2", "mean", means((6, 8, 8))),
    ],
    ids=lambda one: f"{one.layer} {one.to}",
)
def test_sums_are_those_of_full_passes(tiny: Classifier, photos: ImageSet, removal: Removal) -> None:
    whole = counted(tiny, photos, removal)
    found = whole.value
    assert found.images.tolist() == [2, 3, 2] and whole.images == 7
    assert_as_slow(found, slow_sums(tiny, photos, removal, KNOWN))
    before = {position: tiny.logits(tiny.prepare([photos[position].image]))[0] for position in KNOWN}
    own = {position: tiny.labels.index(photos.labels[position]) for position in KNOWN}
    right = [one for one in KNOWN if int(before[one].argmax()) == own[one]]
    assert found.right.sum() == len(right) and found.predicted.sum() == len(KNOWN)
    logits = sum(float(before[one][own[one]]) for one in KNOWN)
    assert found.logit.sum() * UNIT == pytest.approx(logits, rel=1e-5)
    reasons = {one.name: one.reason for one in whole.problems}
    assert reasons.keys() == {"2.png", "5.png", "6.png"}
    assert "no label" in reasons["2.png"] and "damaged" in reasons["5.png"]


@pytest.mark.parametrize("to", ["zero", "mean"])
def test_sums_of_a_residual_network_are_those_of_full_passes(to: str) -> None:
    classifier = calibrated("resnet50", 64)
    layers = [layer for layer in classifier.layers if layer.block_end][-2:]
    photos = noise_set(("1", "999"), 64)
    for layer in layers:
        mean = means((layer.channels,)) if to == "mean" else None
        found = ablated(classifier, photos, Removal(layer.name, to, mean))
        some = range(0, layer.channels, layer.channels // 5)
        for position in range(2):
            pixels = classifier.prepare([photos[position].image]).pixels
            with torch.no_grad():
                whole = classifier.module(pixels)[0]
            own = int(photos.labels[position])
            for unit in some:
                value = 0.0 if mean is None else float(mean[unit])
                left = replaced_logits(
                    classifier, pixels, layer.name, lambda output, unit=unit, value=value: output[:, unit].fill_(value)
                )
                change = float(left[own] - whole[own])
                assert found.logit_change[unit, own] * UNIT == pytest.approx(change, abs=2e-4)


@pytest.mark.parametrize("to", ["zero", "mean", "mean everywhere"])
def test_units_of_tokens_are_removed_from_all_tokens(to: str) -> None:
    classifier = classifier_of(transformer())
    layer = next(one for one in classifier.layers if one.kind == "tokens" and one.prefix)
    shape = (layer.prefix + layer.height * layer.width, layer.channels)
    mean = {"zero": None, "mean": means(shape), "mean everywhere": means((layer.channels,))}[to]
    removal = Removal(layer.name, "zero" if mean is None else "mean", mean)
    photos = noise_set(("3", "5"), 64)
    assert_as_slow(ablated(classifier, photos, removal), slow_sums(classifier, photos, removal, [0, 1]), 2e-4)


def test_units_of_a_flat_layer_are_removed() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 5, 4), nn.Flatten(), nn.Linear(36, 7), nn.ReLU(), nn.Linear(7, 3))
    classifier = classifier_of(network, size=16)
    photos = noise_set(("0", "1", "2"))
    for removal in (Removal("2"), Removal("2", "mean", means((7,)))):
        assert classifier.layer("2").kind == "flat"
        assert_as_slow(ablated(classifier, photos, removal), slow_sums(classifier, photos, removal, [0, 1, 2]))


def test_of_several_labels_the_one_with_the_highest_score_counts(tiny: Classifier) -> None:
    several = replace(tiny, multi_label=True, link="sigmoid")
    single = noise_set(("cat", "dog", "fish", None))
    label_sets = [frozenset({"cat", "fish"}), frozenset({"dog"}), frozenset({"cat", "dog"}), frozenset()]
    photos = ImageSet(
        name="several",
        description="",
        fingerprint="several",
        names=single.names,
        read=lambda position: DecodedImage(single[position].image),
        label_sets=label_sets,
    )
    whole = counted(several, photos, Removal("conv2"))
    found = whole.value
    logits = torch.cat([tiny.logits(tiny.prepare([single[position].image])) for position in range(3)])
    given = [[several.labels.index(one) for one in labels] for labels in label_sets[:3]]
    own = [max(classes, key=lambda one, row=row: float(logits[row, one])) for row, classes in enumerate(given)]
    assert found.images.tolist() == np.bincount(own, minlength=3).tolist()
    shares = sum(float(logits[row, one].sigmoid()) for row, one in enumerate(own))
    assert found.probability.sum() * UNIT == pytest.approx(shares, rel=1e-5)
    assert [one.name for one in whole.problems] == ["3.png"]


class OneUnitEach(nn.Module):
    """Three units that see red, green and blue, and a fourth that sees nothing: class k rests on unit k alone."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Conv2d(3, 4, 1, bias=False)
        self.linear = nn.Linear(4, 3)
        with torch.no_grad():
            self.see.weight.copy_(torch.eye(4, 3)[:, :, None, None])
            self.linear.weight.copy_(torch.eye(3, 4))
            self.linear.bias.copy_(torch.tensor([0.0, 0.0, 0.25]))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.linear(self.see(pixels).mean(dim=(2, 3)))


def by_hand() -> Classifier:
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", OneUnitEach())
    module.eval().requires_grad_(False)
    return Classifier(
        name="by hand",
        module=module,
        labels=("cat", "dog", "fish"),
        layers=(Layer("see", 4, "spatial", 4, 4, True),),
        preprocessing=Preprocessing(crop=(4, 4), resize=4),
        device=torch.device("cpu"),
        fingerprint="by hand",
        architecture="by hand",
    )


def coloured(colours: str = "rrggbb") -> ImageSet:
    """Pictures of one colour: red is a cat, green a dog, blue a fish."""
    labels = tuple({"r": "cat", "g": "dog", "b": "fish"}[one] for one in colours)

    def read(position: int) -> DecodedImage:
        pixels = np.zeros((4, 4, 3), np.uint8)
        pixels[..., "rgb".index(colours[position])] = 255
        return DecodedImage(Image.fromarray(pixels))

    names = [f"{one}.png" for one in range(len(labels))]
    return ImageSet(
        name="colours", description="", fingerprint=colours, names=names, read=read, label_forms={"label": labels}
    )


def test_a_class_that_rests_on_one_unit_falls_with_it_and_no_other_does() -> None:
    """Without 'red' the logits of a cat are 0, 0, ¼: it is taken for a fish, whose true negatives are 2 of 4 then."""
    found = ablated(by_hand(), coloured(), Removal("see"))
    assert found.images.tolist() == found.right.tolist() == found.predicted.tolist() == [2, 2, 2]
    # A fish without 'blue' has ¼ still, and stays a fish.
    assert found.right_change.tolist() == [[-2, 0, 0], [0, -2, 0], [0, 0, 0], [0, 0, 0]]
    assert found.predicted_change.tolist() == [[-2, 0, 2], [0, -2, 2], [0, 0, 0], [0, 0, 0]]
    assert (found.logit_change * UNIT).tolist() == [[-2, 0, 0], [0, -2, 0], [0, 0, -2], [0, 0, 0]]
    assert (found.logit * UNIT).tolist() == [2, 2, 2.5]
    before, after = found.balanced()
    np.testing.assert_allclose(before, 1)
    np.testing.assert_allclose(after, [[0.5, 1, 0.75], [1, 0.5, 0.75], [1, 1, 1], [1, 1, 1]])
    np.testing.assert_allclose(found.recall()[1], [[0, 1, 1], [1, 0, 1], [1, 1, 1], [1, 1, 1]])
    whole, without = found.accuracy()
    assert whole == 1 and without.tolist() == pytest.approx([2 / 3, 2 / 3, 1, 1])
    e = np.exp
    logit, probability = found.mean_changes()
    assert logit[0, 0] == -1
    gained = 1 / (2 + e(0.25)) - e(1) / (e(1) + 1 + e(0.25))
    assert probability[0, 0] == pytest.approx(gained, abs=1e-6)


def test_without_an_image_of_a_class_its_figures_are_not_numbers() -> None:
    found = ablated(by_hand(), coloured("rg"), Removal("see"))
    assert np.isnan(found.balanced()[0]).tolist() == [False, False, True]
    assert np.isnan(found.recall()[1][:, 2]).all()
    nothing = ablated(by_hand(), coloured("r"), Removal("see"), [])
    assert np.isnan(nothing.accuracy()[0])


def same(one: Counted[AblationSums], other: Counted[AblationSums]) -> None:
    """Bit for bit."""
    for name, value in vars(one.value).items():
        if isinstance(value, np.ndarray):
            assert value.dtype == getattr(other.value, name).dtype == np.int64
            np.testing.assert_array_equal(value, getattr(other.value, name))
    assert one.problems == other.problems and one.images == other.images


@pytest.mark.parametrize("removal", [Removal("conv1"), Removal("conv2", "mean", means((6,)))], ids=["zero", "mean"])
def test_parts_add_up_to_the_same_bits_in_any_grouping(tiny: Classifier, photos: ImageSet, removal: Removal) -> None:
    work, item = UnitPass(3, 3), item_of(removal)
    whole = returned(set_pass.by_chunks(work, tiny, photos, (item,)))[0]
    context = work.context(tiny, photos)
    chunks = [work.part(photos, context, part) for part in np.split(np.arange(10), [3, 6, 9])]
    one, two, three, four = (returned(of_chunk(work, tiny, chunk, (item,)))[0] for chunk in chunks)
    same(whole, merged(item, [one, two, three, four]))
    same(whole, merged(item, [merged(item, [one, two]), merged(item, [three, four])]))
    same(whole, merged(item, [one, merged(item, [two, merged(item, [three, four])])]))
    with pytest.raises(ValueError, match="nothing to put together"):
        merged(item, [])


def test_killed_at_any_image_it_goes_on_to_the_same_bits(
    tiny: Classifier, photos: ImageSet, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    cache.forget()
    asked = (UnitPass(3, 3), tiny, photos, (UnitAblation("conv1"), UnitAblation("conv2")))
    expected = returned(set_pass.by_chunks(*asked))
    read, left = UnitPass.read, [0]

    def killed(self, classifier, photos, position):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return read(self, classifier, photos, position)

    monkeypatch.setattr(UnitPass, "read", killed)
    for count in (4, 2, 5):
        left[0] = count
        with pytest.raises(KeyboardInterrupt):
            returned(set_pass.by_chunks(*asked, kept=cache.CachedItems()))
    left[0] = 100
    found = returned(set_pass.by_chunks(*asked, kept=cache.CachedItems()))
    for one, other in zip(found, expected, strict=True):
        same(one, other)
    # Out of what was kept, on disk, nothing is read again.
    left[0] = 0
    cache.forget()
    same(returned(set_pass.by_chunks(*asked, kept=cache.CachedItems()))[1], expected[1])


def test_an_image_with_numbers_that_are_not_finite_is_left_out_by_name(photos: ImageSet) -> None:
    classifier = by_hand()
    classifier.module.get_submodule("network.linear").bias[1] = float("nan")
    found = counted(classifier, coloured("rg"), Removal("see"))
    assert found.images == found.value.images.sum() == 0 and [one.name for one in found.problems] == ["0.png", "1.png"]
    assert "not finite" in found.problems[0].reason


@pytest.mark.parametrize(
    ("removal", "message"),
    [
        (Removal("conv9"), "no layer 'conv9'. It has: conv1, conv2"),
        (Removal("conv1", "mean"), "needs the mean of each unit"),
        (Removal("conv1", "zero", means((4,))), "takes no mean"),
        (Removal("conv1", "mean", means((5,))), "shape 5: conv1 has 4 units, or with positions 4 × 16 × 16"),
    ],
)
def test_bad_questions_say_what_is_wrong(tiny: Classifier, photos: ImageSet, removal: Removal, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ablated(tiny, photos, removal)
