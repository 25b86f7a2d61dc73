"""Maps of classes: families lie together, layers can be followed, and few classes give a defined result."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from interp import progress
from interp.class_summary import embed_classes
from interp.class_summary.similarity import unit_rows
from interp.embedding import PCA, TSNE, UMAP, align, project
from tests.steps import finished

METHODS = [UMAP(metric="cosine", epochs=200), TSNE(iterations=300), PCA()]


def families(count: int = 24, kinds: int = 4, layers: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Classes of some kinds, each kind with channels of its own, in layers that differ by noise only."""
    random = np.random.default_rng(seed)
    rates = np.full((kinds, 40), 0.1)
    for kind in range(kinds):
        rates[kind, 10 * kind : 10 * kind + 10] = 0.6
    return {f"layer {at}": random.binomial(50, rates[np.arange(count) % kinds]) for at in range(layers)}


def mapped(counts, images=None, method=METHODS[0]):
    count = len(next(iter(counts.values())))
    return finished(embed_classes(counts, np.full(count, 50) if images is None else np.array(images), method))


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.title)
def test_classes_of_a_kind_lie_together_in_every_layer(method) -> None:
    counts = families()
    parts, found = mapped(counts, method=method)
    assert [list(part.points) for part in parts] == [list(counts)[: at + 1] for at in range(3)]
    kinds = np.arange(24) % 4
    for points in found.points.values():
        apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(24) * 1e9
        assert (kinds[apart.argmin(axis=1)] == kinds).mean() > 0.9
    assert found.quality["layer 0"].k > 0 and found.classes.tolist() == list(range(24)) and not len(found.left_out)


def gradual(count: int = 40, layers: int = 3) -> dict[str, np.ndarray]:
    """Classes that differ by two traits, to which the channels of each layer answer in their own way."""
    random = np.random.default_rng(0)
    traits = random.normal(size=(count, 2))
    odds = [
        1.5 * (traits + 0.3 * random.normal(size=traits.shape)) @ random.normal(size=(2, 60)) for _ in range(layers)
    ]
    return {f"layer {at}": random.binomial(50, 1 / (1 + np.exp(2 - own))) for at, own in enumerate(odds)}


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.title)
def test_classes_can_be_followed_from_layer_to_layer(method) -> None:
    counts = gradual()
    followed = mapped(counts, method=method)[1].points
    alone = {layer: mapped({layer: own}, method=method)[1].points[layer] for layer, own in counts.items()}

    def moved(maps) -> float:
        """How far classes move from layer to layer, in spreads of the map; nothing is turned or mirrored for it."""
        centred = [points - points.mean(axis=0) for points in maps.values()]
        same = [points / np.sqrt((points**2).sum(axis=1).mean()) for points in centred]
        return float(np.mean([np.linalg.norm(two - one, axis=1) for one, two in zip(same, same[1:], strict=False)]))

    assert np.array_equal(followed["layer 0"], alone["layer 0"])
    assert moved(followed) < 0.75 and moved(followed) < 0.65 * moved(alone)


def test_a_layer_begins_at_the_one_before() -> None:
    counts = gradual(layers=2)
    first = mapped(counts, method=METHODS[0])[1]
    begun = project(unit_rows(counts["layer 1"]).astype(np.float32), METHODS[0], start=first.points["layer 0"])
    assert np.allclose(align(begun.points, first.points["layer 0"]).points, first.points["layer 1"], atol=1e-4)
    tsne = mapped(counts, method=METHODS[1])[1].methods
    assert tsne["layer 0"] == replace(tsne["layer 1"], exaggeration=12) and tsne["layer 1"].exaggeration == 1


def test_pca_is_laid_on_the_layer_before() -> None:
    counts = families()
    found = mapped(counts, method=PCA())[1].points
    turned = mapped({"layer 0": counts["layer 0"], "layer 1": -counts["layer 1"] + 50}, method=PCA())[1].points
    for points in (found, turned):
        assert np.allclose(align(points["layer 1"], points["layer 0"]).points, points["layer 1"], atol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.title)
def test_few_classes_give_a_map(method, count) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mapped(families(count), method=method)[1]
    assert all(points.shape == (count, 2) and np.isfinite(points).all() for points in found.points.values())
    used = found.methods["layer 1"]
    if count < 4 or isinstance(method, PCA):
        assert isinstance(used, PCA)
    else:
        assert isinstance(used, type(method)) and len(found.remarks) == 1 and str(count) in found.remarks[0]
    if count > 1:
        assert all(np.ptp(points, axis=0).max() > 0 for points in found.points.values())


def test_classes_without_images_are_left_out_and_said() -> None:
    counts = families(10)
    heard: list[str] = []

    class Heard:
        def step(self, done: int, total: int, what: str) -> None:
            steps.append((done, total, what))

        def remark(self, text: str) -> None:
            heard.append(text)

    steps: list[tuple[int, int, str]] = []
    images = [5, 0, 5, 5, 5, 5, 5, 0, 5, 5]
    with progress.listening(Heard()):
        found = mapped(counts, images, METHODS[0])[1]
    assert found.classes.tolist() == [0, 2, 3, 4, 5, 6, 8, 9] and found.left_out.tolist() == [1, 7]
    assert heard == list(found.remarks) and "2 of 10 classes have no images and are left out." in heard
    fewer = {layer: own[np.array(images) > 0] for layer, own in counts.items()}
    assert np.array_equal(found.points["layer 2"], mapped(fewer)[1].points["layer 2"])
    assert {(total, what) for _, total, what in steps} == {(3, "maps of classes")}


def test_a_layer_in_which_all_are_alike_is_a_spot_and_the_next_goes_on_from_before_it() -> None:
    counts = families(12, layers=2)
    between = {"layer 0": counts["layer 0"], "same": np.ones((12, 4), int), "layer 1": counts["layer 1"]}
    found = mapped(between)[1]
    assert not np.ptp(found.points["same"], axis=0).any() and "same" in found.remarks[-1]
    assert np.array_equal(found.points["layer 1"], mapped(counts)[1].points["layer 1"])


def test_a_class_without_counts_in_a_layer_has_a_place() -> None:
    counts = families(12)
    counts["layer 1"][5] = 0
    assert np.isfinite(mapped(counts)[1].points["layer 1"]).all()


def test_what_cannot_be_mapped_is_refused() -> None:
    with pytest.raises(ValueError, match="No class has images"):
        mapped(families(4), [0, 0, 0, 0])
    with pytest.raises(ValueError, match="counts of 4 classes, and images are given of 3"):
        mapped(families(4), [1, 1, 1])
    with pytest.raises(ValueError, match="dimensions=2"):
        mapped(families(4), method=PCA(dimensions=3))
    with pytest.raises(ValueError, match="There are no layers"):
        finished(embed_classes({}, np.array([1])))
