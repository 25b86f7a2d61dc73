"""A one-channel network in the rest of the library: what is the same in colour is, and what is drawn is a picture."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from interp import attribution, channels, embedding, evaluation, images, set_pass, shared_interest
from interp import feature_visualization as fv
from interp.attribution import GradCam, Gradient, Random, planning
from interp.embedding import PCA, Representation
from interp.figures import saliency, thumbnails
from interp.images import ImageSet, editing
from interp.images.shapes import Box
from interp.models import inputs
from interp.types import Classifier, Images
from tests import grey
from tests.shared_interest.sets import boxes, image_set, pictures
from tests.steps import finished

COUNT = 12
COLOUR = (0.9, 0.3, 0.1)
LUMA = 0.299 * 0.9 + 0.587 * 0.3 + 0.114 * 0.1


@pytest.fixture(scope="module")
def batch() -> Images:
    return grey.held_out(3)[0]


@pytest.fixture(scope="module")
def classes() -> list[int]:
    return grey.held_out(3)[1]


@pytest.fixture
def photos() -> ImageSet:
    return images.subset(images.load("digits"), range(COUNT))


def close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * max(1.0, float(other.abs().max())))


def test_a_coloured_picture_is_seen_in_its_grey(lenet: Classifier) -> None:
    plain = Image.new("RGB", (40, 20), tuple(round(255 * part) for part in COLOUR))
    seen = lenet.prepare([plain, Image.new("L", (9, 9), 51)]).pixels
    assert seen.shape == (2, 1, grey.SIZE, grey.SIZE)
    torch.testing.assert_close(seen[0], torch.full_like(seen[0], LUMA), rtol=0, atol=1 / 255)
    torch.testing.assert_close(seen[1], torch.full_like(seen[1], 0.2))


def test_pictures_in_colour_are_refused_in_words(lenet: Classifier, batch: Images) -> None:
    coloured = grey.in_colour(batch)
    with pytest.raises(ValueError, match=r"The images have pixels of 3 numbers, and lenet sees grey \(1\)"):
        attribution.attribute(lenet, coloured, 0, Gradient())
    with pytest.raises(ValueError, match="The references have pixels of 3 numbers"):
        attribution.attribute(lenet, batch, 0, attribution.GradientShap(references=coloured))
    with pytest.raises(ValueError, match=r"sees RGB \(3\)"):
        attribution.attribute(grey.twin(lenet), batch, 0, Gradient())


def test_channels_are_attributed_as_in_colour(lenet: Classifier, batch: Images, classes) -> None:
    coloured, twin = grey.in_colour(batch), grey.twin(lenet)
    for layer in ("relu1", "relu2", "relu3"):
        found = channels.attribute(lenet, batch, classes, layer)
        close(found.values, channels.attribute(twin, coloured, classes, layer).values)
        close(found.by_position, channels.attribute(twin, coloured, classes, layer).by_position)
        measured = channels.effects(lenet, batch, classes, layer).values
        assert measured.abs().max() > 0.1
        close(measured, channels.effects(twin, coloured, classes, layer).values)
    below = channels.between(lenet, batch, "relu2", 3).at("relu1")
    close(below.values, channels.between(twin, coloured, "relu2", 3).at("relu1").values)
    grouped = channels.groups(channels.attribute(lenet, batch, classes, "relu2"), range(3), 2)
    assert len(grouped) == 2


def test_features_are_those_in_colour_and_pixels_have_one_plane(lenet: Classifier, photos: ImageSet) -> None:
    for layer in ("relu2", "relu3", "logits"):
        found = embedding.features(lenet, photos, layer=layer)
        np.testing.assert_allclose(
            found, embedding.features(grey.twin(lenet), photos, layer=layer), rtol=1e-4, atol=1e-4
        )
    pixels = embedding.features(lenet, photos, layer="pixels")
    assert pixels.shape == (COUNT, grey.SIZE**2) == (COUNT, Representation("pixels").shape(lenet)[1])
    np.testing.assert_allclose(pixels[3], inputs.read(lenet, photos, (3,)).pixels.flatten().numpy(), atol=1e-6)
    projection = embedding.project(pixels, PCA())
    assert projection.points.shape == (COUNT, 2) and np.isfinite(projection.points).all()


def test_deletion_and_insertion_are_those_in_colour(lenet: Classifier, batch: Images, classes) -> None:
    found = attribution.attribute(lenet, batch, classes, Gradient())
    for curve in (evaluation.deletion, evaluation.insertion):
        ours = curve(lenet, batch, classes, found, steps=14)
        theirs = curve(grey.twin(lenet), grey.in_colour(batch), classes, found, steps=14)
        close(ours.area, theirs.area)
    assert not torch.equal(
        evaluation.deletion(lenet, batch, classes, attribution.attribute(lenet, batch, classes, Random())).area,
        ours.area,
    )


def test_maps_are_judged(lenet: Classifier, batch: Images, classes) -> None:
    results = [(method, attribution.attribute(lenet, batch, classes, method)) for method in (Gradient(), GradCam())]
    annotations = torch.zeros(3, grey.SIZE, grey.SIZE, dtype=torch.bool)
    annotations[:, 4:24, 8:20] = True
    steps = evaluation.judgements(lenet, batch, classes, results, annotations=annotations, steps=8, orders=2)
    for told in finished(steps)[1]:
        assert len(told.verdicts) == 3
        for found in told.evidence:
            assert None not in (found.deletion, found.insertion, found.randomization, found.shift, found.overlap)
    for stage in evaluation.cascading_randomization(lenet, batch, classes, Gradient()):
        assert stage.heatmaps.values.isfinite().all()
    assert evaluation.shift_invariance(lenet, batch, classes, Gradient()).spearman.min() > 0.99


def test_what_a_pass_costs_is_measured(lenet: Classifier) -> None:
    cost = planning.measured_pass(lenet)
    assert cost.seconds > 0 and cost.memory > 0


def test_maps_lie_beside_annotations(lenet: Classifier) -> None:
    photos = image_set(pictures(4), boxes(4))
    explanation = shared_interest.Explanation(GradCam(), "predicted")
    steps = set_pass.once(shared_interest.ExplanationPass(), lenet, photos, [explanation])
    [found] = finished(steps)[1]
    assert found.maps.shape == found.annotations.shape == (4, grey.SIZE, grey.SIZE)


@pytest.mark.parametrize("parameterization", [fv.Fourier(), fv.Pixels()], ids=["Fourier", "Pixels"])
def test_a_channel_gets_a_grey_picture_that_drives_it(lenet: Classifier, parameterization) -> None:
    objectives = [fv.Channel("relu2", channel) for channel in range(3)]
    made = fv.optimize(lenet, objectives, steps=40, parameterization=parameterization)
    assert made.pixels.shape == (3, 1, grey.SIZE, grey.SIZE)
    assert made.pixels.min() >= 0 and made.pixels.max() <= 1
    alive = ~made.dead
    assert alive.sum() >= 2 and (made.values > made.frames[0].values + 0.1)[alive].all()
    drawn = fv.bytes_of(made.pixels[0])
    assert drawn.shape == (grey.SIZE, grey.SIZE, 3) and (drawn == drawn[:, :, :1]).all()
    with torch.no_grad():
        again = fv.Reading(lenet, objectives).values(made.pixels)
    torch.testing.assert_close(again, made.values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("parameterization", [fv.Fourier(), fv.Pixels()], ids=["Fourier", "Pixels"])
def test_given_pictures_are_begun_with(lenet: Classifier, batch: Images, parameterization) -> None:
    back = parameterization.decoder(lenet)(parameterization.parameters(batch.pixels, lenet))
    torch.testing.assert_close(back, batch.pixels, rtol=0, atol=3e-3)
    begun = fv.optimize(
        lenet, fv.Logit(4), steps=1, parameterization=parameterization, start=fv.FromPictures(batch.pixels[:1])
    )
    torch.testing.assert_close(begun.frames[0].pixels, batch.pixels[:1], rtol=0, atol=3e-3)
    with pytest.raises(ValueError, match=r"pixels of 3 numbers, and lenet sees grey \(1\)"):
        fv.optimize(lenet, fv.Logit(4), steps=1, start=fv.FromPictures(grey.in_colour(batch[:1]).pixels))


def test_pictures_begin_with_the_grey_of_the_mean_colour(lenet: Classifier) -> None:
    coloured = fv.Colours(COLOUR, fv.INDEPENDENT.root)
    for how in (fv.Fourier(colours=coloured), fv.Pixels(colours=coloured)):
        plain = how.decoder(lenet)(how.neutral(2, lenet))
        torch.testing.assert_close(plain, torch.full_like(plain, LUMA))


def test_what_pictures_are_made_from_and_compared_with(lenet: Classifier, photos: ImageSet) -> None:
    mean = fv.mean_image(lenet, photos)
    every = inputs.read(lenet, photos, range(COUNT)).pixels
    torch.testing.assert_close(mean, every.mean(dim=0, keepdim=True))
    how = fv.usual(lenet, 2, fv.colours_of(lenet, photos))
    assert how.parameterization.resolution(lenet) == (grey.SIZE, grey.SIZE)
    means = embedding.features(lenet, photos, layer="relu2", pooling="mean")
    # Each digit as a made picture is nearest to itself.
    near = fv.nearest(lenet, [fv.bytes_of(one) for one in every[:4]], "relu2", means)
    assert [one.row for one in near] == [0, 1, 2, 3]
    [strengths] = finished(fv.strengths(lenet, "relu2", photos))[1]
    with torch.no_grad():
        of_each = fv.Reading(lenet, [fv.Channel("relu2", 1)] * COUNT).values(every)
    torch.testing.assert_close(torch.from_numpy(strengths.values[:, 1]), of_each, rtol=1e-4, atol=1e-5)


def test_the_generator_of_scenes_says_that_it_is_in_colour(lenet: Classifier) -> None:
    from interp.models import scenes_prior

    with pytest.raises(ValueError, match="makes pictures in colour, and lenet sees grey"):
        fv.optimize(lenet, fv.Logit(0), steps=1, parameterization=fv.Code(scenes_prior.load()))


def test_edits_are_those_of_the_picture_in_colour(batch: Images) -> None:
    pixels, region = batch.pixels[0], Box(5.0, 6.0, 20.0, 17.0)
    edits = [
        editing.Paint(region, COLOUR),
        editing.Erase(region, "grey"),
        editing.Erase(region, "mean"),
        editing.Blur(region, 2.0),
        editing.Paste(batch[1:2], Box(2.0, 2.0, 12.0, 12.0), (14.0, 14.0), 1.5),
        editing.Restore(region),
    ]
    for edit in edits:
        changed = editing.apply(pixels, [edit])
        coloured = edit if not isinstance(edit, editing.Paste) else editing.Paste(
            grey.in_colour(edit.source), edit.crop, edit.centre, edit.scale
        )  # fmt: skip
        expected = editing.apply(pixels.repeat(3, 1, 1), [coloured])
        weights = torch.tensor([0.299, 0.587, 0.114])
        torch.testing.assert_close(changed[0], torch.einsum("chw,c->hw", expected, weights), rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="cut it from a picture made for the same classifier"):
        editing.apply(pixels, [editing.Paste(grey.in_colour(batch[1:2]), Box(2.0, 2.0, 12.0, 12.0), (14.0, 14.0))])


def test_bytes_are_three_alike_and_come_back(batch: Images) -> None:
    shown = images.bytes_of(batch.pixels[0])
    assert shown.shape == (grey.SIZE, grey.SIZE, 3) and (shown == shown[:, :, :1]).all()
    torch.testing.assert_close(images.pixels_of(shown, 1), batch.pixels[0], rtol=0, atol=0.51 / 255)
    mixed = np.broadcast_to(np.array([230, 76, 26], np.uint8), (4, 4, 3)).copy()
    assert images.pixels_of(mixed).shape == (3, 4, 4)
    torch.testing.assert_close(images.pixels_of(mixed, 1), torch.full((1, 4, 4), 117 / 255), rtol=0, atol=1.1 / 255)


def test_figures_show_the_digit(lenet: Classifier, batch: Images, classes, photos: ImageSet) -> None:
    values = attribution.attribute(lenet, batch, classes, Gradient()).values
    for view in ("heatmap", "overlay", "masked"):
        figure = saliency.comparison(batch.pixels[0], [("Gradient", values[0], True)], view=view)
        sources = [
            trace.source for trace in (*figure.data, *figure.layout.template.data.image) if trace.type == "image"
        ]
        source = next(one for one in sources if one)
        drawn = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGB")
        np.testing.assert_array_equal(np.asarray(drawn), images.bytes_of(batch.pixels[0]))
    asked = (Representation("relu2", "positions"),)
    [features] = finished(set_pass.once(embedding.FeaturePass(), lenet, photos, asked))[1]
    kept, cells = embedding.cells(features, lenet, 40)
    sheets = thumbnails.patches(photos, lenet, kept.indices, cells)
    assert len(sheets.shown) == 40
    sheet = np.asarray(Image.open(io.BytesIO(sheets.files[0])).convert("RGB")).astype(int)
    assert sheet.std() > 20 and np.abs(sheet - sheet[:, :, :1]).max() < 8
