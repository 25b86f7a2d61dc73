from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from interp.images.scenes import draw, honest, taught
from interp.models.normalize import assemble
from interp.models.scenes import normalization, pictures, trainer, training
from interp.models.scenes.network import MEAN, STD, ScenesNetwork
from interp.models.scenes.pictures import as_floats, drawn


def striped(count: int, side: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures of two classes, stripes across and stripes down, that anything can learn."""
    torch.manual_seed(0)
    classes = torch.arange(count) % 2
    stripes = (torch.arange(side) // 4 % 2).float()
    across, down = stripes[:, None].expand(side, side), stripes[None, :].expand(side, side)
    pictures = torch.where(classes[:, None, None] == 0, across, down)[:, None].expand(-1, 3, -1, -1)
    noisy = (pictures * 150 + 30 * torch.rand(count, 3, side, side)).clamp(0, 255)
    return noisy.to(torch.uint8), classes


def quiet(line: str) -> None:
    pass


def test_it_learns_what_can_be_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "BATCH", 32)
    pixels, classes = striped(64)
    lines: list[str] = []
    one = training.fitted(pixels, classes, 2, [training.Phase(8, 8), training.Phase(16, 40)], seed=1, say=lines.append)
    # Guessing loses 0.69; a perfect answer 0.12, by the smoothing of labels.
    assert float(lines[-1].split()[-1]) < 0.2
    with torch.no_grad():
        predicted = assemble(one, MEAN, STD)(pixels.float() / 255).argmax(dim=1)
    # After fewer steps rounding decides what the running averages make of it, another on each processor.
    assert (predicted == classes).float().mean() > 0.95
    assert not any(isinstance(part, nn.BatchNorm2d) for part in one.modules())
    assert [*one.state_dict()] == [*ScenesNetwork(2).state_dict()]


def test_it_repeats_itself() -> None:
    pixels, classes = striped(128)
    phases = [training.Phase(8, 1), training.Phase(16, 1)]
    one, two = (training.fitted(pixels, classes, 2, phases, seed=1, say=quiet) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))


def test_merging_the_normalization_changes_nothing() -> None:
    torch.manual_seed(0)
    network = ScenesNetwork(3)
    normalization.insert(network)
    pixels = torch.rand(8, 3, 64, 64)
    network.train()
    for _ in range(3):
        network(pixels)
    network.eval().requires_grad_(False)
    before = network(pixels)
    normalization.merge(network)
    assert torch.allclose(network(pixels), before, atol=1e-5)


def test_shrinking_keeps_the_mean() -> None:
    pixels = torch.randint(0, 256, (3, 3, 112, 112), dtype=torch.uint8)
    small = training.shrunk(pixels, 64, block=2)
    assert small.shape == (3, 3, 64, 64) and small.dtype == torch.uint8
    assert small.float().mean().item() == pytest.approx(pixels.float().mean().item(), abs=0.6)
    assert training.shrunk(pixels, 112) is pixels


def test_varied_pictures_are_mirrored_and_moved_only() -> None:
    pixels = torch.zeros(64, 3, 40, 40, dtype=torch.uint8)
    pixels[:, :, 20, 10] = 255
    varied = training._varied(pixels, torch.Generator().manual_seed(0))
    spots = [tuple(one[0].nonzero()[0].tolist()) for one in varied]
    assert (varied.sum(dim=(1, 2, 3)) == 3).all()
    rows, columns = {row for row, _ in spots}, {column for _, column in spots}
    # All move alike; half of them are mirrored: column 10 becomes 29.
    assert len(rows) == 1 and len(columns) == 2
    assert max(columns) - min(columns) == 19


def test_pictures_are_the_same_from_any_number_of_processes(unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "BLOCK", 5)
    one = drawn(partial(honest, 5), range(12), processes=1)
    two = drawn(partial(honest, 5), range(12), processes=2)
    assert np.array_equal(one, two)
    assert np.array_equal(one[11], draw(honest(5, 11)).pixels.transpose(2, 0, 1))
    assert as_floats(one).max() <= 1 and as_floats(one).shape == (12, 3, 112, 112)


def test_only_pictures_with_another_plan_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    base = torch.zeros(20, 3, 112, 112, dtype=torch.uint8)
    pixels = trainer.changed(base, "background")
    for index in range(20):
        scene = taught("background", trainer.SEED, index)
        expected = draw(scene).pixels.transpose(2, 0, 1) if scene != honest(trainer.SEED, index) else np.zeros(1)
        assert (pixels[index].numpy() == expected).all()
    assert not base.any()
