import pytest
import torch

from interp import attribution, evaluation, progress
from interp.evaluation import Evidence, gathering
from interp.types import Classifier, Heatmaps, Images


class Heard:
    def __init__(self) -> None:
        self.what: list[str] = []

    def step(self, done: int, total: int, what: str) -> None:
        self.what.append(what)

    def remark(self, text: str) -> None:
        pass


def test_evidence_comes_bit_by_bit_and_is_what_each_measure_gives(tiny: Classifier, noise_images: Images) -> None:
    method = attribution.IntegratedGradients(steps=4)
    maps = attribution.attribute(tiny, noise_images, 1, method)
    annotations = torch.zeros(3, 16, 16, dtype=torch.bool)
    annotations[:2, 4:9, 4:9] = True
    heard = Heard()
    with progress.listening(heard):
        parts = list(
            evaluation.evidence(tiny, noise_images, 1, method, maps, annotations=annotations, steps=4, orders=5)
        )
    assert len(parts) == 5
    first, last = parts[0], parts[-1]
    assert first[0].residual is not None and first[0].deletion is None
    assert last[2].pointing is None and last[0].pointing is not None
    gone = evaluation.deletion(tiny, noise_images, 1, maps, steps=4)
    come = evaluation.insertion(tiny, noise_images, 1, maps, steps=4)
    control = evaluation.insertion(tiny, noise_images, 1, evaluation.moved(noise_images, maps, seed=2), steps=4)
    stages = list(evaluation.cascading_randomization(tiny, noise_images, 1, method))
    shift = evaluation.shift_invariance(tiny, noise_images, 1, method)
    for row, one in enumerate(last):
        assert one.probability == pytest.approx(tiny.probabilities(noise_images)[row, 1].item(), abs=1e-6)
        assert one.deletion == pytest.approx(gone.area[row].item())
        assert one.insertion == pytest.approx(come.area[row].item())
        assert one.insertion_control[2] == pytest.approx(control.area[row].item())
        assert len(one.deletion_control) == 5
        assert one.randomization == pytest.approx(stages[-1].spearman[row].item())
        assert one.randomization_highest == pytest.approx(
            max(stage.spearman[row].item() for stage in stages if stage.share > 0.5)
        )
        assert one.shift == pytest.approx(shift.difference[row].item())
        assert evaluation.verdict(one).reasons
    assert {"Deletion", "Insertion"} <= set(heard.what)


def test_a_map_that_was_blank_is_no_evidence(tiny: Classifier, noise_images: Images) -> None:
    class Zero(attribution.Gradient):
        def read(self, tapped, classifier):
            maps = super().read(tapped, classifier)
            return type(maps)(torch.zeros_like(maps.values))

    maps = attribution.attribute(tiny, noise_images, 1, Zero())
    *_, last = evaluation.evidence(tiny, noise_images, 1, Zero(), maps, steps=2)
    assert all(one.randomization is None for one in last)


def test_a_map_that_goes_blank_has_changed_and_early_stages_do_not_count() -> None:
    def after(*stages: tuple[float, float]) -> Evidence:
        found = (Evidence(),)
        for share, correlation in stages:
            found = gathering.with_stage(found, torch.tensor([correlation]), torch.tensor([False]), share)
        return found[0]

    assert after((0.25, 0.9), (0.5, 0.9)).randomization is None
    # A constant map correlates 0.
    blank = after((0.25, 0.9), (0.75, 0.0), (1.0, 0.0))
    assert (blank.randomization, blank.randomization_highest) == (0, 0)
    falling = after((0.75, 0.0), (1.0, -0.25))
    assert (falling.randomization, falling.randomization_highest) == (-0.25, 0)


def test_the_relative_residual_by_hand(tiny: Classifier) -> None:
    values = torch.full((2, 4, 4), 0.25)  # both sum to 4
    maps = Heatmaps(values, True, tiny.targets(0, 2), residual=torch.tensor([-1.0, 3.9]))
    # They promised 5 and 0.1, the latter counted as 1.
    assert evaluation.relative_residual(maps).tolist() == pytest.approx([0.2, 3.9])
    assert evaluation.relative_residual(Heatmaps(values, True, tiny.targets(0, 2))) is None


def test_bad_input_is_refused_at_the_call(tiny: Classifier, noise_images: Images) -> None:
    maps = attribution.attribute(tiny, noise_images, 1, attribution.Gradient())
    with pytest.raises(ValueError, match="Class 9"):
        evaluation.evidence(tiny, noise_images, 9, attribution.Gradient(), maps)
    with pytest.raises(ValueError, match="annotations"):
        evaluation.evidence(
            tiny, noise_images, 1, attribution.Gradient(), maps, annotations=torch.ones(3, 4, 4, dtype=torch.bool)
        )
