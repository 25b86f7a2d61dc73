"""What a patch in a corner does to a set, against a loop over images, and beside noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from interp.atlas import CORNERS, Corner, PastedPatch, PastingPass, PatchTrial, noise, tried, trying
from interp.set_pass import by_chunks, returned
from interp.types import Classifier, Images
from tests.atlas.made_up import AtlasStore, same
from tests.class_summary.sets import pictures, pixels_of

COUNT = 30
RED = np.tile(np.array([255, 0, 0], np.uint8), (5, 5, 1))


@pytest.fixture
def varied(tiny: Classifier) -> Classifier:
    """With biases for which each class is the largest for some pictures."""
    with torch.no_grad():
        logits = tiny.module(pixels_of(tiny, pictures(tiny, (None,) * COUNT)))
        tiny.module.get_parameter("network.linear.bias").sub_(logits.median(dim=0).values)
    return replace(tiny, fingerprint="varied")


def test_a_patch_lies_in_its_corner_and_leaves_the_rest_as_it_is(tiny: Classifier, noise_images: Images) -> None:
    pixels, ends = noise_images.pixels, {"top": slice(0, 4), "bottom": slice(12, 16)}
    sides = {"left": slice(0, 4), "right": slice(12, 16)}
    for corner in CORNERS:
        found = PastedPatch(RED, 0.25, corner).onto(tiny, pixels)
        inside = torch.zeros(16, 16, dtype=torch.bool)
        down, across = corner.split()
        inside[ends[down], sides[across]] = True
        assert torch.equal(found[:, :, ~inside], pixels[:, :, ~inside])
        assert torch.allclose(found[:, :, inside], torch.tensor([1.0, 0, 0])[None, :, None].expand(3, 3, 16))
    assert torch.equal(PastedPatch(None).onto(tiny, pixels), pixels)
    whole = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    covered = PastedPatch(whole, 1).onto(tiny, pixels)
    assert torch.allclose(covered, (torch.from_numpy(whole).permute(2, 0, 1).float() / 255).expand(3, 3, 16, 16))


def test_sizes_are_shares_of_the_shorter_side() -> None:
    assert [PastedPatch(RED, share).side((16, 30)) for share in (0.25, 0.3, 1, 0.01)] == [4, 5, 16, 1]
    for share in (0, -0.1, 1.1):
        with pytest.raises(ValueError, match="share of"):
            PastedPatch(RED, share)
    wrong: Corner = "middle"  # pyright: ignore[reportAssignmentType]
    with pytest.raises((ValueError, TypeError)):
        PastedPatch(RED, 0.3, wrong)


def test_in_a_network_that_sees_grey_a_patch_is_as_grey_as_pictures_are(lenet: Classifier) -> None:
    pixels = torch.zeros(1, 1, 28, 28)
    found = PastedPatch(RED, 0.25, "top left").onto(lenet, pixels)
    # Red is 0.299 of grey in pictures that are read, not a third.
    assert torch.allclose(found[0, 0, :7, :7], torch.tensor(76 / 255), atol=1e-6) and found.sum() < 49 * 0.3


def test_noise_is_seeded_uniform_and_of_its_size() -> None:
    one, other, again = noise(0.3, "top left", 40, 0), noise(0.3, "top left", 40, 1), noise(0.3, "top left", 40, 0)
    assert one.pixels is not None and other.pixels is not None
    assert one.pixels.shape == (40, 40, 3) and same(one, again) and not same(one, other)
    assert abs(one.pixels.mean() - 127.5) < 5 and one.pixels.min() == 0 and one.pixels.max() == 255
    assert abs(np.corrcoef(one.pixels[:, :-1].ravel(), one.pixels[:, 1:].ravel())[0, 1]) < 0.1


def slow(classifier: Classifier, pixels: torch.Tensor, patch: PastedPatch, target: int | None) -> tuple[float, float]:
    """The share that is taken for something else, and that of the others turned into the target."""
    was, now = [], []
    for one in pixels:
        pasted = patch.onto(classifier, one[None])
        with torch.no_grad():
            was.append(int(classifier.module(one[None]).argmax()))
            now.append(int(classifier.module(pasted).argmax()))
    flipped = np.mean([before != after for before, after in zip(was, now, strict=True)])
    others = [after == target for before, after in zip(was, now, strict=True) if before != target]
    return float(flipped), float(np.mean(others)) if others and target is not None else float("nan")


def alike(one: PatchTrial, other: PatchTrial) -> bool:
    return same(replace(one, problems=()), replace(other, problems=())) and len(one.problems) == len(other.problems)


@pytest.mark.parametrize("target", [None, 0, 2])
def test_effects_are_those_of_a_loop_over_images(varied: Classifier, target: int | None) -> None:
    photos = pictures(varied, (None,) * COUNT, broken=(7,))
    pixels = pixels_of(varied, photos)
    given = [PastedPatch(one, 0.6, "top right") for one in (RED, 255 - RED)]
    found = tried(varied, photos, given, target)
    assert [one.name for one in found.problems] == ["7.png"]
    for effect, patch in zip(found.effects, given, strict=True):
        changed, to_target = slow(varied, pixels, patch, target)
        assert effect.images == COUNT - 1 and effect.changed == pytest.approx(changed)
        assert effect.to_target == pytest.approx(to_target, nan_ok=True)
    noises = [slow(varied, pixels, noise(0.6, "top right", 10, seed), target) for seed in range(3)]
    assert found.noise.changed == pytest.approx(np.mean([one for one, _ in noises]))
    assert found.noise.to_target == pytest.approx(np.mean([one for _, one in noises]), nan_ok=True)
    with torch.no_grad():
        before = varied.module(pixels).argmax(dim=1)
    others = 0 if target is None else int((before != target).sum())
    assert found.noise.others == found.effects[0].others == others < COUNT - 1
    assert found.effects[0].changed > 0


def test_where_all_are_taken_for_the_target_before_nothing_is_turned_into_it(tiny: Classifier) -> None:
    tiny.module.get_parameter("network.linear.bias").data[1] = 100.0
    found = tried(tiny, pictures(tiny, (None,) * 4), [PastedPatch(RED)], 1)
    assert found.effects[0].others == 0 and np.isnan(found.effects[0].to_target) and found.effects[0].changed == 0
    assert np.isnan(found.noise.to_target) and found.noise.changed == 0


def test_what_was_kept_is_not_computed_again(varied: Classifier) -> None:
    photos, store = pictures(varied, (None,) * COUNT), AtlasStore()
    whole = tried(varied, photos, [PastedPatch(RED, 0.5)], 0)
    first = list(trying(varied, photos, [PastedPatch(RED, 0.5)], 0, kept=store))
    assert first and alike(first[-1], whole) and len(store) == 5
    passes: list[int] = []
    handle = varied.module.register_forward_hook(lambda module, given, out: passes.append(len(given[0])))
    assert alike(returned(trying(varied, photos, [PastedPatch(RED, 0.5)], 0, kept=store)), whole) and not passes
    # Another patch of that size and place has one more pass: what is there without it, and noise, are kept.
    returned(trying(varied, photos, [PastedPatch(255 - RED, 0.5)], 2, kept=store))
    handle.remove()
    assert sum(passes) == COUNT


def test_killed_and_resumed_gives_the_same(varied: Classifier) -> None:
    photos, items = pictures(varied, (None,) * COUNT), (PastedPatch(None), PastedPatch(RED, 0.5))
    work, store = PastingPass(chunk=8, first=4), AtlasStore()
    whole = returned(by_chunks(PastingPass(), varied, photos, items))
    store.room = 3
    with pytest.raises(KeyboardInterrupt):
        returned(by_chunks(work, varied, photos, items, kept=store))
    store.room = 1_000
    found = returned(by_chunks(work, varied, photos, items, kept=store))
    for one, other in zip(found, whole, strict=True):
        assert (one.positions == other.positions).all() and np.allclose(one.logits, other.logits, atol=1e-6)


def test_what_cannot_be_tried_is_refused(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * 3)
    with pytest.raises(ValueError, match="one patch or more, all of one size and in one corner"):
        tried(tiny, photos, [])
    with pytest.raises(ValueError, match="all of one size"):
        tried(tiny, photos, [PastedPatch(RED, 0.3), PastedPatch(RED, 0.4)])
    with pytest.raises(ValueError, match="Class 3 does not exist"):
        tried(tiny, photos, [PastedPatch(RED)], 3)
    with pytest.raises(ValueError, match="head"):
        tried(replace(tiny, labels=()), photos, [PastedPatch(RED)])
    with pytest.raises(ValueError, match="No image of pictures could be read, so nothing was pasted"):
        tried(tiny, pictures(tiny, (None,) * 2, broken=(0, 1)), [PastedPatch(RED)])
