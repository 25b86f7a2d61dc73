from math import comb

import numpy as np
import pytest
import torch

from benchmarks import coalition_peers
from benchmarks.peer_maps import Asked
from interp import attribution
from interp.attribution import surrogates
from interp.attribution.superpixels import coalitions, segments
from interp.attribution.surrogates import KernelShap, Lime, Perturbed
from interp.types import Classifier, Images, Target
from tests.conftest import tiny_classifier

EIGHT = 8
"""Segments of the pictures below: 2⁸ = 256 coalitions."""

PATCHES = torch.arange(EIGHT).view(4, 2).repeat_interleave(4, dim=0).repeat_interleave(8, dim=1)
"""Which of eight patches, of 4 × 8 pixels, each pixel of 16 × 16 is in."""


@pytest.fixture
def patches() -> Images:
    """Three pictures of eight plain patches, which SLIC finds."""
    colours = torch.rand(3, 3, EIGHT, generator=torch.Generator().manual_seed(13))
    return Images(colours[:, :, PATCHES], ("first", "second", "third"))


def score_of(classifier: Classifier, pixels: torch.Tensor, labels: torch.Tensor, shown: set[int], target: int) -> float:
    """The logit of a picture that is black but for the segments shown."""
    perturbed = torch.zeros_like(pixels)
    for segment in shown:
        perturbed[:, labels == segment] = pixels[:, labels == segment]
    return float(classifier.module(perturbed[None])[0, target])


def all_scores(classifier: Classifier, pixels: torch.Tensor, labels: torch.Tensor, target: int) -> np.ndarray:
    """The score of every coalition, numbered by the bits of its segments."""
    shown = [set(np.flatnonzero(row)) for row in coalition_peers.coalitions_of(int(labels.max()) + 1)]
    return np.array([score_of(classifier, pixels, labels, one, target) for one in shown])


def of_segments(values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The one value that each segment has in a map."""
    found = []
    for segment in range(int(labels.max()) + 1):
        inside = values[labels == segment].unique()
        assert len(inside) == 1
        found.append(inside)
    return torch.cat(found)


class Weighted(torch.nn.Module):
    """A linear score: the sum of the pixels, each times its own weight; the classes differ by the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(5))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nchw,kchw->nk", pixels, self.weights) + 7


def linear_classifier() -> Classifier:
    classifier = tiny_classifier()
    classifier.module.network = Weighted()
    return classifier


@pytest.mark.parametrize("samples", [18, 40, 300])
def test_of_a_linear_score_both_give_what_each_segment_adds(patches: Images, samples: int) -> None:
    classifier = linear_classifier()
    pixels, labels = patches.pixels[0], segments(patches.pixels[0], EIGHT)
    products = (classifier.module.network.weights[1] * pixels).sum(dim=0)
    expected = torch.stack([products[labels == segment].sum() for segment in range(EIGHT)])
    shap = attribution.attribute(classifier, patches[:1], 1, KernelShap(samples, 8, "black"))
    torch.testing.assert_close(of_segments(shap.values[0], labels), expected, rtol=1e-4, atol=1e-3)
    lime = attribution.attribute(classifier, patches[:1], 1, Lime(samples, 8, "black", alpha=0)).values[0]
    torch.testing.assert_close(of_segments(lime, labels), expected, rtol=1e-4, atol=1e-3)
    shrunk = attribution.attribute(classifier, patches[:1], 1, Lime(samples, 8, "black", alpha=1)).values[0]
    assert 0 < shrunk.norm() < lime.norm()


def test_of_all_coalitions_kernel_shap_gives_the_shapley_values(tiny: Classifier, patches: Images) -> None:
    labels = segments(patches.pixels[1], EIGHT)
    expected = coalition_peers.exact_shapley(all_scores(tiny, patches.pixels[1], labels, 2))
    heatmaps = attribution.attribute(tiny, patches[1:2], 2, KernelShap(256, EIGHT, "black"))
    torch.testing.assert_close(
        of_segments(heatmaps.values[0], labels).double(), torch.tensor(expected), rtol=1e-3, atol=1e-6
    )


def test_with_fewer_samples_kernel_shap_is_near_and_efficient(tiny: Classifier, patches: Images) -> None:
    pixels, labels = patches.pixels[1], segments(patches.pixels[1], EIGHT)
    table = all_scores(tiny, pixels, labels, 2)
    expected = torch.tensor(coalition_peers.exact_shapley(table))
    difference = table[-1] - table[0]
    for samples in (20, 60, 100):
        heatmaps = attribution.attribute(tiny, patches[1:2], 2, KernelShap(samples, EIGHT, "black"))
        found = of_segments(heatmaps.values[0], labels)
        assert float(found.sum()) == pytest.approx(difference, rel=1e-4)
        assert heatmaps.residual is not None and abs(float(heatmaps.residual)) < 1e-6 * abs(difference)
        assert (found - expected).abs().mean() < 0.15 * expected.abs().mean()


def test_a_segment_that_changes_nothing_gets_nothing(tiny: Classifier, patches: Images, monkeypatch) -> None:
    monkeypatch.setattr(surrogates, "segments", lambda pixels, count: PATCHES)
    pixels = patches.pixels[:1].clone()
    pixels[:, :, 4:8, :8] = 0
    heatmaps = attribution.attribute(tiny, Images(pixels, ("dummy",)), 0, KernelShap(256, EIGHT, "black"))
    found = of_segments(heatmaps.values[0], PATCHES)
    assert abs(float(found[2])) < 1e-6 and (found.abs() > 1e-4).sum() == EIGHT - 1


def test_segments_that_do_the_same_get_the_same(monkeypatch) -> None:
    class Brightness(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return pixels.mean(dim=(1, 2, 3))[:, None].square().expand(-1, 3)

    monkeypatch.setattr(surrogates, "segments", lambda pixels, count: PATCHES)
    classifier = tiny_classifier()
    classifier.module.network = Brightness()
    brightness = torch.tensor([0.9, 0.2, 0.2, 0.9, 0.9, 0.2, 0.2, 0.9])
    picture = Images(brightness[PATCHES].expand(1, 3, 16, 16).contiguous(), ("checkers",))
    for method in (KernelShap(256, EIGHT, "black"), Lime(256, EIGHT, "black")):
        found = of_segments(attribution.attribute(classifier, picture, 0, method).values[0], PATCHES)
        bright, dark = found[brightness > 0.5], found[brightness < 0.5]
        assert float(bright.max() - bright.min()) < 1e-6 and float(dark.max() - dark.min()) < 1e-6
        assert float(bright.mean()) > 2 * float(dark.mean()) > 0


def sklearn_lime(present: np.ndarray, scores: np.ndarray, copies: np.ndarray, width: float, alpha: float) -> np.ndarray:
    """LIME's regression by scikit-learn; `copies` says how often each coalition counts."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import pairwise_distances

    distances = pairwise_distances(present, np.ones((1, present.shape[1])), metric="cosine")[:, 0]
    weights = np.sqrt(np.exp(-(distances**2) / width**2))
    return Ridge(alpha=alpha).fit(present, scores, sample_weight=weights * copies).coef_


@pytest.mark.parametrize(("width", "alpha"), [(0.25, 1), (0.6, 20.0)])
def test_of_all_coalitions_lime_is_scikit_learns_regression(tiny: Classifier, patches: Images, width, alpha) -> None:
    labels = segments(patches.pixels[1], EIGHT)
    present = coalition_peers.coalitions_of(EIGHT).astype(float)
    scores = all_scores(tiny, patches.pixels[1], labels, 0)
    expected = sklearn_lime(present, scores, np.full(256, 300 / 256), width, alpha)
    method = Lime(300, EIGHT, "black", kernel_width=width, alpha=alpha)
    found = of_segments(attribution.attribute(tiny, patches[1:2], 0, method).values[0], labels)
    torch.testing.assert_close(found, torch.tensor(expected).float(), rtol=1e-3, atol=1e-6)


def test_drawn_coalitions_count_for_all_of_their_size(tiny: Classifier, patches: Images) -> None:
    labels = segments(patches.pixels[1], EIGHT)
    present = coalitions(EIGHT, 60, 3)
    shown = [set(row.nonzero()[:, 0].tolist()) for row in present]
    scores = np.array([score_of(tiny, patches.pixels[1], labels, one, 0) for one in shown])
    drawn = [sum(len(other) == len(one) for other in shown) for one in shown]
    copies = np.array([60 * comb(EIGHT, len(one)) / 2**EIGHT / same for one, same in zip(shown, drawn, strict=True)])
    expected = sklearn_lime(present.numpy().astype(float), scores, copies, 0.25, 1)
    found = attribution.attribute(tiny, patches[1:2], 0, Lime(60, EIGHT, "black", 3)).values[0]
    torch.testing.assert_close(of_segments(found, labels), torch.tensor(expected).float(), rtol=1e-3, atol=1e-6)


def test_together_they_are_what_each_is_alone_for_the_passes_of_one(tiny: Classifier, patches: Images) -> None:
    methods = (Lime(60, EIGHT, seed=2), KernelShap(60, EIGHT, seed=2))
    alone = [attribution.attribute(tiny, patches, 1, method).values for method in methods]
    seen = []
    handle = tiny.module.register_forward_hook(lambda module, given, output: seen.append(len(output)))
    together = dict(attribution.compare(tiny, patches, 1, methods))
    handle.remove()
    assert sum(seen) == 3 * 60
    for method, values in zip(methods, alone, strict=True):
        assert torch.equal(together[method].values, values)
        assert together[method].passes == pytest.approx(20)


@pytest.mark.parametrize("other", [{"samples": 62}, {"segments": 9}, {"seed": 3}, {"baseline": "black"}])
def test_only_the_same_perturbations_are_shared(other: dict) -> None:
    same = {"samples": 60, "segments": 8, "seed": 2, "baseline": "mean"}
    assert Lime(**same, alpha=3).sharing() == KernelShap(**same).sharing()
    assert Lime(**same).sharing() != KernelShap(**(same | other)).sharing()


@pytest.mark.parametrize("method", [Lime(60, EIGHT), KernelShap(60, EIGHT)])
def test_several_images_give_what_each_gives_alone(tiny: Classifier, patches: Images, method) -> None:
    mixed = Images(torch.cat([patches.pixels, torch.full((1, 3, 16, 16), 0.4)]), (*patches.names, "plain"))
    targets = [0, 1, Target(2, 0), 1]
    together = attribution.attribute(tiny, mixed, targets, method).values
    for row, target in enumerate(targets):
        alone = attribution.attribute(tiny, mixed[row : row + 1], target, method).values[0]
        torch.testing.assert_close(together[row], alone, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", [Lime, KernelShap])
def test_the_same_seed_gives_the_same_map_and_another_another(tiny: Classifier, patches: Images, kind) -> None:
    torch.manual_seed(0)
    first = attribution.attribute(tiny, patches, 0, kind(60, EIGHT)).values
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(attribution.attribute(tiny, patches, 0, kind(60, EIGHT)).values, first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.allclose(attribution.attribute(tiny, patches, 0, kind(60, EIGHT, seed=1)).values, first)


@pytest.mark.parametrize("method", [Lime(60, EIGHT), KernelShap(60, EIGHT)])
def test_a_contrast_is_the_difference_of_two_targets(tiny: Classifier, patches: Images, method) -> None:
    contrast, positive, negative = (
        attribution.attribute(tiny, patches, target, method).values for target in (Target(2, 0), 2, 0)
    )
    torch.testing.assert_close(contrast, positive - negative, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", [Lime, KernelShap])
def test_a_single_segment_gets_the_whole_difference(tiny: Classifier, patches: Images, kind) -> None:
    heatmaps = attribution.attribute(tiny, patches[:1], 0, kind(4, 1, "black"))
    whole, nothing = (float(tiny.module(pixels)[0, 0]) for pixels in (patches.pixels[:1], torch.zeros(1, 3, 16, 16)))
    torch.testing.assert_close(heatmaps.values[0], torch.full((16, 16), whole - nothing))


def test_two_segments_share_what_they_bring_together(tiny: Classifier, patches: Images, monkeypatch) -> None:
    halves = torch.zeros(16, 16, dtype=torch.long)
    halves[:, 8:] = 1
    monkeypatch.setattr(surrogates, "segments", lambda pixels, count: halves)
    none, left, right, both = (
        score_of(tiny, patches.pixels[0], halves, shown, 0) for shown in (set(), {0}, {1}, {0, 1})
    )
    heatmaps = attribution.attribute(tiny, patches[:1], 0, KernelShap(6, 2, "black"))
    joint = both - left - right + none
    expected = torch.tensor([left - none + joint / 2, right - none + joint / 2])
    torch.testing.assert_close(of_segments(heatmaps.values[0], halves), expected, rtol=1e-3, atol=1e-6)
    lime = attribution.attribute(tiny, patches[:1], 0, Lime(6, 2, "black")).values
    assert lime.isfinite().all() and len(lime.unique()) == 2


@pytest.mark.parametrize("kind", [Lime, KernelShap])
def test_a_plain_picture_hidden_by_its_own_colour_gives_a_zero_map(tiny: Classifier, kind) -> None:
    plain = Images(torch.full((1, 3, 16, 16), 0.5), ("plain",))
    assert not attribution.attribute(tiny, plain, 0, kind(60, EIGHT)).values.any()


def test_segments_are_numbered_without_gaps_and_follow_the_patches(patches: Images) -> None:
    labels = segments(patches.pixels[0], EIGHT)
    assert labels.unique().tolist() == list(range(EIGHT))
    assert len((PATCHES * EIGHT + labels).unique()) == EIGHT
    grey = patches.pixels[0].mean(dim=0, keepdim=True).expand(3, 16, 16)
    assert segments(grey, EIGHT).unique().tolist() == list(range(int(segments(grey, EIGHT).max()) + 1))
    assert torch.equal(segments(patches.pixels[0], EIGHT), labels)


@pytest.mark.parametrize(("parts", "samples"), [(8, 200), (9, 20), (9, 513), (46, 200), (47, 97), (120, 242)])
def test_coalitions_come_in_distinct_pairs_of_complements(parts: int, samples: int) -> None:
    drawn = coalitions(parts, samples, 0)
    assert len(drawn) == len(drawn.unique(dim=0)) <= samples < len(drawn) + 2 or len(drawn) == 2**parts
    assert drawn[0].all() and not drawn[1].any()
    rows = {tuple(row) for row in drawn.tolist()}
    assert all(tuple(not one for one in row) in rows for row in rows)
    assert drawn.sum(dim=1).unique().tolist() == list(range(parts + 1))


def test_coalitions_of_one_size_are_equally_likely() -> None:
    # The balance among them must not favour a segment: 15 pairs and 20 triples out of 6 segments, over many seeds.
    drawn = torch.cat([coalitions(6, 24, seed) for seed in range(600)])
    for size in (2, 3):
        of_size = drawn[drawn.sum(dim=1) == size]
        _, counts = of_size.unique(dim=0, return_counts=True)
        assert len(counts) == comb(6, size)
        expected = len(of_size) / comb(6, size)
        assert (counts - expected).abs().max() < 4.5 * expected**0.5


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (Lime, {"segments": 0}, "LIME with segments=0"),
        (KernelShap, {"samples": 41}, "41 samples are too few for Kernel SHAP to tell 20 segments apart: .* 42"),
        (Lime, {"kernel_width": 0}, "kernel width of 0"),
        (Lime, {"alpha": -1}, "alpha=-1"),
    ],
)
def test_values_that_make_no_sense_are_refused(kind, parameters: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**parameters)


@pytest.mark.slow
def test_at_200_samples_of_a_photograph_none_of_the_peers_is_nearer(
    squeezenet: Classifier, photographs: Images
) -> None:
    """From a table of all scores: exact Shapley values, LIME of 5,000 coin flips, and the peers at 200 samples each."""
    from captum.attr import KernelShap as CaptumShap
    from captum.attr import Lime as CaptumLime

    pytest.importorskip("lime.lime_image")
    pytest.importorskip("shap")
    pixels = photographs.pixels[0]
    labels = next(cut for cut in (segments(pixels, count) for count in range(7, 30)) if int(cut.max()) + 1 >= 9)
    players = int(labels.max()) + 1
    target = int(squeezenet.logits(photographs[:1]).argmax())
    table = coalition_peers.scores_of_all(Asked(squeezenet.module, photographs.pixels[:1], target), labels)

    def look(present: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(table)[(present > 0.5).long() @ (1 << torch.arange(players))]

    def captum(kind) -> np.ndarray:
        ones, zeros = torch.ones(1, players), torch.zeros(1, players)
        return kind(look).attribute(
            ones, baselines=zeros, n_samples=200, feature_mask=torch.arange(players)[None]
        )[0].numpy()  # fmt: skip

    shapley, limit = coalition_peers.exact_shapley(table), coalition_peers.lime_package(table, 5000, 100)
    errors: dict[str, list[float]] = {}
    for seed in range(3):
        torch.manual_seed(seed)
        np.random.seed(seed)
        present = coalitions(players, 200, seed)
        ours = Perturbed(labels, present, look(present))
        found = {
            "shap": (KernelShap().coefficients(ours).numpy(), shapley),
            "shap by Captum": (captum(CaptumShap), shapley),
            "shap by its package": (coalition_peers.shap_package(table, 198), shapley),
            "lime": (Lime().coefficients(ours).numpy(), limit),
            "lime by Captum": (captum(CaptumLime), limit),
            "lime by its package": (coalition_peers.lime_package(table, 200, seed), limit),
        }
        for name, (values, reference) in found.items():
            errors.setdefault(name, []).append(float(np.abs(values - reference).mean() / np.abs(reference).mean()))
    means = {name: sum(of_seeds) / len(of_seeds) for name, of_seeds in errors.items()}
    assert means["shap"] < 0.05 and means["lime"] < 0.1
    assert means["shap"] < min(means["shap by Captum"], means["shap by its package"])
    assert means["lime"] < min(means["lime by Captum"], means["lime by its package"])


def test_the_packages_agree_where_they_are_given_every_coalition(tiny: Classifier, patches: Images) -> None:
    pytest.importorskip("lime.lime_image")
    pytest.importorskip("shap")
    labels = segments(patches.pixels[2], EIGHT)
    table = coalition_peers.scores_of_all(Asked(tiny.module, patches.pixels[2:], 1), labels)
    methods = (Lime(256, EIGHT), KernelShap(256, EIGHT))
    lime, shap = (attribution.attribute(tiny, patches[2:], 1, method).values[0] for method in methods)
    expected = (coalition_peers.lime_package_of_all(table), coalition_peers.shap_package(table, 256))
    for ours, theirs in zip((lime, shap), expected, strict=True):
        torch.testing.assert_close(of_segments(ours, labels), torch.tensor(theirs).float(), rtol=1e-3, atol=1e-5)
