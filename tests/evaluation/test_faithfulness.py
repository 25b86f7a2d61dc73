import numpy as np
import pytest
import torch

from interp import attribution, evaluation
from interp.attribution import baselines
from interp.types import Classifier, Heatmaps, Images, Target
from tests.evaluation.conftest import linear_classifier


def heatmaps(values: torch.Tensor, classifier: Classifier) -> Heatmaps:
    return Heatmaps(values, True, classifier.targets(0, len(values)))


def picture(side: int, seed: int = 0, count: int = 1) -> Images:
    pixels = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
    return Images(pixels, tuple(f"{i}.png" for i in range(count)))


def sigmoid(x: float) -> float:
    return 1 / (1 + float(np.exp(-x)))


def test_curves_of_a_linear_classifier_by_hand() -> None:
    classifier = linear_classifier(torch.tensor([[1.0, 2.0], [-1.0, 0.5]]), bias=0.25)
    images = Images(torch.ones(1, 3, 2, 2), ("white",))
    maps = heatmaps(torch.tensor([[[3.0, 6.0], [-3.0, 1.5]]]), classifier)
    gone = evaluation.deletion(classifier, images, 0, maps, steps=4, baseline="black")
    # Pixels leave in the order 2, 1, 0.5, −1, each with three colours.
    expected = [sigmoid(score) for score in (7.75, 1.75, -1.25, -2.75, 0.25)]
    assert gone.values[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert gone.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert gone.area.item() == pytest.approx(float(np.trapezoid(expected, dx=0.25)), abs=1e-6)
    come = evaluation.insertion(classifier, images, 0, maps, steps=4, baseline="black")
    assert come.values[0].tolist() == pytest.approx(
        [sigmoid(score) for score in (0.25, 6.25, 9.25, 10.75, 7.75)], abs=1e-6
    )


def test_a_contrast_is_the_probability_among_the_two(tiny: Classifier, noise_images: Images) -> None:
    maps = Heatmaps(torch.rand(3, 16, 16), False, tiny.targets(Target(2, 1), 3))
    curve = evaluation.deletion(tiny, noise_images, Target(2, 1), maps, steps=2)
    shares = tiny.probabilities(noise_images)
    assert torch.allclose(curve.values[:, 0], shares[:, 2] / (shares[:, 2] + shares[:, 1]), atol=1e-6)


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_curves_are_those_of_a_slow_loop(kind: str, tiny: Classifier, noise_images: Images) -> None:
    values = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(4))
    targets, steps = [0, 2, 1], 7
    curve = getattr(evaluation, kind)(tiny, noise_images, targets, heatmaps(values, tiny), steps=steps)
    for row in range(3):
        picture = noise_images.pixels[row].clone()
        other = baselines.images(picture[None], "mean" if kind == "deletion" else "blur", 0)[0]
        now, end = (picture, other) if kind == "deletion" else (other, picture)
        now = now.clone()
        order = sorted(np.ndindex(16, 16), key=lambda at: -values[row][at].item())
        done = 0
        for step in range(steps + 1):
            while done < round(step / steps * 256):
                now[:, order[done][0], order[done][1]] = end[:, order[done][0], order[done][1]]
                done += 1
            expected = tiny.probabilities(Images(now[None], ("now",)))[0, targets[row]]
            assert curve.values[row, step].item() == pytest.approx(expected.item(), abs=1e-6)


def test_a_perfect_map_beats_the_control_and_a_constant_one_does_not() -> None:
    weights = torch.randn(16, 16, generator=torch.Generator().manual_seed(2)) * 0.1
    classifier, images = linear_classifier(weights), picture(16)
    perfect = (images.pixels.sum(dim=1)) * weights
    control = [attribution.attribute(classifier, images, 0, attribution.Random(seed=seed)) for seed in range(8)]
    areas = [evaluation.deletion(classifier, images, 0, maps, baseline="black").area.item() for maps in control]
    spread = float(np.std(areas, ddof=1))
    best = evaluation.deletion(classifier, images, 0, heatmaps(perfect, classifier), baseline="black").area.item()
    level = evaluation.deletion(
        classifier, images, 0, heatmaps(torch.ones(1, 16, 16), classifier), baseline="black"
    ).area.item()
    assert best < np.mean(areas) - 3 * spread
    assert abs(level - np.mean(areas)) < 3 * spread


def test_what_a_reversed_map_inserts_is_what_the_map_deletes(tiny: Classifier, noise_images: Images) -> None:
    values = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(4))
    gone = evaluation.deletion(tiny, noise_images, 1, heatmaps(values, tiny), steps=8, baseline="black")
    come = evaluation.insertion(tiny, noise_images, 1, heatmaps(-values, tiny), steps=8, baseline="black")
    assert torch.allclose(come.values.flip(1), gone.values, atol=1e-6)
    assert torch.allclose(come.area, gone.area, atol=1e-6)


def test_ties_go_in_an_order_that_only_seed_and_picture_decide(tiny: Classifier, noise_images: Images) -> None:
    level = heatmaps(torch.zeros(3, 16, 16), tiny)
    first = evaluation.deletion(tiny, noise_images, 1, level, steps=8)
    again = evaluation.deletion(tiny, noise_images[1:2], 1, heatmaps(torch.ones(1, 16, 16), tiny), steps=8)
    other = evaluation.deletion(tiny, noise_images, 1, level, steps=8, seed=1)
    assert torch.allclose(first.values[1], again.values[0], atol=1e-6)
    assert not torch.equal(first.values, other.values)


def test_all_methods_come_after_the_control(tiny: Classifier, noise_images: Images) -> None:
    values = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(4))
    maps = {"mine": heatmaps(values, tiny), "Random": heatmaps(-values, tiny)}
    found = list(evaluation.compare(tiny, noise_images, 1, maps, steps=4, orders=3))
    assert [one.name for one in found] == ["Random", "Random", "Random", "mine"]
    alone = evaluation.insertion(tiny, noise_images, 1, maps["mine"], steps=4)
    torch.testing.assert_close(found[-1].insertion.values, alone.values)
    assert not torch.equal(found[0].deletion.values, found[1].deletion.values)


def test_a_moved_map_has_the_same_values_elsewhere(tiny: Classifier, noise_images: Images) -> None:
    values = torch.zeros(3, 16, 16)
    values[:, 2, 3] = 1
    moved = evaluation.moved(noise_images, heatmaps(values, tiny), seed=5).values
    assert torch.equal(moved.flatten(1).sort().values, values.flatten(1).sort().values)
    for row, column in moved.nonzero()[:, 1:].tolist():
        assert 4 <= (row - 2) % 16 <= 12 and 4 <= (column - 3) % 16 <= 12
    assert torch.equal(moved, evaluation.moved(noise_images, heatmaps(values, tiny), seed=5).values)


def test_bad_input_is_refused(tiny: Classifier, noise_images: Images) -> None:
    good = heatmaps(torch.rand(3, 16, 16), tiny)
    with pytest.raises(ValueError, match="3, 8, 16"):
        evaluation.deletion(tiny, noise_images, 0, heatmaps(torch.rand(3, 8, 16), tiny))
    with pytest.raises(ValueError, match="not finite"):
        evaluation.compare(tiny, noise_images, 0, {"broken": heatmaps(torch.full((3, 16, 16), torch.nan), tiny)})
    with pytest.raises(ValueError, match="0 steps"):
        evaluation.insertion(tiny, noise_images, 0, good, steps=0)
    with pytest.raises(ValueError, match="Class 7"):
        evaluation.deletion(tiny, noise_images, 7, good)
    with pytest.raises(ValueError, match=r"second\.png"):
        pixels = noise_images.pixels.clone()
        pixels[1, 0, 0, 0] = torch.inf
        evaluation.deletion(tiny, Images(pixels, noise_images.names), 0, good, baseline="black", steps=2)
