"""Many objectives in batches: the parts, their progress, and what happens when memory runs out."""

import pytest
import torch

from interp import progress
from interp.feature_visualization import Channel, Fourier, Settings, batch_for, channels_of, joined, optimize, sheet
from interp.feature_visualization import sheets as module
from interp.types import Classifier
from tests.steps import finished

SETTINGS = Settings(steps=4, parameterization=Fourier(16), frames=(2,))


class Heard:
    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.remarks: list[str] = []

    def step(self, done: int, total: int, what: str) -> None:
        self.steps.append((done, total))

    def remark(self, text: str) -> None:
        self.remarks.append(text)


def test_a_sheet_fills_up_from_the_first_picture_on(tiny: Classifier) -> None:
    channels = channels_of(tiny, "conv2")
    assert channels == tuple(Channel("conv2", number) for number in range(6))
    heard = Heard()
    with progress.listening(heard):
        parts, found = finished(sheet(tiny, channels, SETTINGS, batch_size=4))
    assert [(part.start, part.frame.step, len(part.frame.pixels)) for part in parts] == [
        (0, 2, 3), (0, 4, 3), (3, 2, 3), (3, 4, 3),
    ]  # fmt: skip
    done = [one for one, _ in heard.steps]
    assert done == sorted(done) and {total for _, total in heard.steps} == {24} and done[-1] == 24
    assert len(found) == 6 and torch.equal(found.pixels[:3], parts[1].frame.pixels)
    assert torch.equal(found.frames[0].pixels[3:], parts[2].frame.pixels)
    assert found.objectives == channels


def test_copies_of_an_objective_stay_in_one_batch(tiny: Classifier) -> None:
    settings = Settings(steps=2, parameterization=Fourier(16), copies=3, frames=())
    starts = [part.start for part in sheet(tiny, channels_of(tiny, "conv1"), settings, batch_size=4)]
    assert starts == [0, 3, 6, 9]


def test_without_memory_the_batch_is_halved(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = module.optimizing

    def hungry(classifier, objectives, settings):
        if len(objectives) > 2:
            raise RuntimeError("CUDA out of memory")
        return plain(classifier, objectives, settings)

    expected = optimize(tiny, channels_of(tiny, "conv2"), steps=4, parameterization=Fourier(16))
    monkeypatch.setattr(module, "optimizing", hungry)
    heard = Heard()
    with progress.listening(heard):
        found = optimize(tiny, channels_of(tiny, "conv2"), steps=4, parameterization=Fourier(16))
    assert torch.allclose(found.pixels, expected.pixels, atol=1e-4)
    assert heard.remarks == ["Memory ran short: pictures are made in batches of 3.",
                             "Memory ran short: pictures are made in batches of 1."]  # fmt: skip


def test_small_pictures_are_made_many_at_once(tiny: Classifier) -> None:
    assert batch_for(tiny, Settings(parameterization=Fourier(224))) < batch_for(
        tiny, Settings(parameterization=Fourier(64))
    )


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="no visualizations"):
        joined(())
