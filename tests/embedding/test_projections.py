import dataclasses

import numpy as np
import pytest

from cache.encoding import decode, encode
from cache.keys import key
from interp import embedding, progress
from interp.embedding import Features, Representation, projections
from tests.embedding.clusters import clusters

TSNE = embedding.TSNE(perplexity=10, iterations=120)
UMAP = embedding.UMAP(neighbours=8, epochs=60)


def some(values: np.ndarray) -> Features:
    return Features(Representation("logits"), values, np.arange(len(values)))


class Ear:
    def __init__(self, stop_at: int | None = None) -> None:
        self.heard: list[tuple[int, int, str]] = []
        self.stop_at = stop_at

    def step(self, done: int, total: int, what: str) -> None:
        self.heard.append((done, total, what))
        if len(self.heard) == self.stop_at:
            raise KeyboardInterrupt

    def remark(self, text: str) -> None:
        raise AssertionError(text)


@pytest.mark.parametrize("method", [TSNE, UMAP], ids=str)
def test_the_frames_begin_dense_and_end_with_the_map(method) -> None:
    features, _ = clusters()
    ear = Ear()
    with progress.listening(ear):
        projection = embedding.project(features, method)
    steps = [frame.step for frame in projection.frames]
    total = method.iterations if isinstance(method, embedding.TSNE) else method.epochs
    assert steps[0] == 0
    assert steps[-1] == projection.frames[-1].total == total
    assert 30 <= len(steps) <= 60
    gaps = np.diff(steps)
    assert gaps.min() >= 1
    assert gaps[: len(gaps) // 3].mean() < gaps[-len(gaps) // 3 :].mean() / 2
    assert np.array_equal(projection.frames[-1].points, projection.points)
    assert not np.array_equal(projection.frames[0].points, projection.points)
    done = [step for step, of, what in ear.heard if of == total and method.title in what]
    assert done == list(range(total + 1))


def test_each_frame_of_t_sne_has_its_own_divergence_and_the_last_is_the_maps() -> None:
    projection = embedding.project(clusters()[0], TSNE)
    divergences = [frame.divergence for frame in projection.frames]
    assert divergences[-1] == projection.quality.divergence
    assert divergences[-1] < 0.5 * divergences[0]


def test_yielding_frame_by_frame_gives_the_same_map_while_others_run_in_between() -> None:
    features, _ = clusters()
    expected = [embedding.project(features, method).points for method in (TSNE, UMAP)]
    running = [embedding.projecting(features, method) for method in (TSNE, UMAP)]
    found: list[np.ndarray | None] = [None, None]
    while any(one is None for one in found):
        for which, steps in enumerate(running):
            try:
                if found[which] is None:
                    next(steps)
            except StopIteration as stop:
                found[which] = stop.value.points
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_work_that_nobody_waits_for_stops_at_the_next_step() -> None:
    ear = Ear(stop_at=20)
    with progress.listening(ear), pytest.raises(KeyboardInterrupt):
        embedding.project(clusters()[0], TSNE)
    assert len(ear.heard) == 20


def test_five_perplexities_cost_one_search_and_change_nothing(monkeypatch) -> None:
    features, _ = clusters()
    methods = [dataclasses.replace(TSNE, perplexity=perplexity) for perplexity in (2, 5, 10, 20, 30)]
    alone = [embedding.project(features, method) for method in methods]
    searches = []
    monkeypatch.setattr(
        projections, "nearly_nearest", lambda *a, **k: searches.append(a[1]) or embedding.nearest(*a, **k)
    )
    methods = [*methods, embedding.PCA(), dataclasses.replace(TSNE, metric="cosine")]
    steps = embedding.project_each([some(features)], methods)
    seen = []
    while True:
        try:
            place, frame = next(steps)
            assert frame.points.shape == (150, 2)
            seen.append(methods[place])
        except StopIteration as stop:
            together = stop.value
            break
    assert searches == [90, 30]
    assert list(dict.fromkeys(seen)) == methods
    assert [projection.method for projection in together] == methods
    assert all(np.array_equal(one.points, other.points) for one, other in zip(together, alone, strict=False))


def test_neighbours_that_were_searched_before_are_used_and_wrong_ones_refused() -> None:
    features, _ = clusters()
    found = embedding.searched(features, [TSNE, UMAP])
    assert found.count == 30
    for method in (TSNE, UMAP):
        given = embedding.project(features, method, neighbours=found)
        assert np.array_equal(given.points, embedding.project(features, method).points)
    with pytest.raises(ValueError, match="needed are those of 149 by euclidean"):
        embedding.project(features[1:], TSNE, neighbours=found)
    with pytest.raises(ValueError, match="by cosine distance"):
        embedding.project(features, dataclasses.replace(TSNE, metric="cosine"), neighbours=found)
    with pytest.raises(ValueError, match="60 neighbours were asked for, and 30"):
        embedding.project(features, dataclasses.replace(TSNE, perplexity=20), neighbours=found)
    with pytest.raises(ValueError, match="metric or reduction"):
        embedding.searched(features, [TSNE, dataclasses.replace(UMAP, metric="cosine")])
    with pytest.raises(ValueError, match="nothing to search"):
        embedding.searched(features, [embedding.PCA()])


def test_all_methods_are_checked_before_any_work() -> None:
    ear = Ear()
    with progress.listening(ear), pytest.raises(ValueError, match="A perplexity of 80 needs at least 241 images"):
        next(embedding.project_each([some(clusters()[0])], [TSNE, dataclasses.replace(TSNE, perplexity=80)]))
    assert not ear.heard


@pytest.mark.parametrize("method", [embedding.PCA(), TSNE, UMAP], ids=str)
def test_a_projection_can_be_kept_on_disk_and_made_a_key_of(method) -> None:
    projection = embedding.project(clusters()[0], method)
    again = decode(encode(projection, {}))
    assert again.method == method
    assert np.array_equal(again.points, projection.points)
    assert again.quality.trustworthiness == projection.quality.trustworthiness
    assert key(again) == key(projection)
    assert len(again.frames) == len(projection.frames)


@pytest.mark.parametrize("method", [embedding.PCA, embedding.TSNE, embedding.UMAP])
def test_each_method_says_what_a_reader_should_know(method) -> None:
    for text in (method.title, method.summary, method.formula, method.source, method.pitfalls):
        assert len(text) > 2
    assert method() == method()


@pytest.mark.parametrize("method", [embedding.PCA(), TSNE, UMAP], ids=str)
@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_precisions_are_taken(method, kind) -> None:
    features, labels = clusters(120, kinds=3)
    found = embedding.nearest(embedding.project(features.astype(kind), method).points, 3)
    assert (labels[found.indices] == labels[:, None]).mean() > 0.95


def test_each_source_has_its_map_by_one_method_and_one_source_by_each() -> None:
    features = clusters()[0][:, :4]
    sources = [some(features), some(features[::-1].copy())]
    toy = embedding.toy("noise", points=30)
    turned = dataclasses.replace(embedding.PCA(), dimensions=3)
    for given, methods, wanted in (
        (sources, [embedding.PCA()], [(one.values, embedding.PCA()) for one in sources]),
        ([toy], [embedding.PCA(), turned], [(toy.features, embedding.PCA()), (toy.features, turned)]),
    ):
        steps, places = embedding.project_each(given, methods), []
        while True:
            try:
                place, frame = next(steps)
                places.append(place)
            except StopIteration as stop:
                found = stop.value
                break
        assert list(dict.fromkeys(places)) == [0, 1]
        expected = [embedding.project(*one).points for one in wanted]
        assert all(np.array_equal(one.points, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    "method", [embedding.TSNE(perplexity=8, iterations=300), embedding.UMAP(neighbours=8, epochs=100)]
)
def test_a_map_begins_at_the_start_that_is_given(method) -> None:
    features, _ = clusters(60)
    random = np.random.default_rng(0)
    own = embedding.project(features, method)
    start = random.normal(size=(60, 2)) * (3, 1)
    begun = embedding.project(features, method, start=start)
    # Where it began, up to each axis's scale, a shift, and the little noise of the seed.
    for axis in range(2):
        assert np.corrcoef(begun.frames[0].points[:, axis], start[:, axis])[0, 1] > 0.999
    assert np.abs(begun.points - own.points).max() > 0.1
    assert np.array_equal(begun.points, embedding.project(features, method, start=start).points)
    assert begun.quality.trustworthiness > 0.8


def test_pca_has_no_beginning_and_a_start_must_be_one() -> None:
    features, _ = clusters(60)
    start = np.random.default_rng(0).normal(size=(60, 2))
    assert np.array_equal(
        embedding.project(features, embedding.PCA(), start=start).points,
        embedding.project(features, embedding.PCA()).points,
    )
    for wrong in (start[:-1], np.ones((60, 3))):
        with pytest.raises(ValueError, match="is no start for one of shape"):
            embedding.project(features, embedding.TSNE(perplexity=5), start=wrong)
    for wrong in (np.ones((60, 2)), np.where(start > 2, np.nan, start)):
        with pytest.raises(ValueError, match="cannot be moved apart"):
            embedding.project(features, embedding.UMAP(), start=wrong)
