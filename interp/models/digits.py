"""The bundled classifier of scikit-learn's handwritten digits, and the script that trains it.

`python -m interp.models.digits train` writes the weights anew, in under two minutes on two processor cores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from interp.models import checkpoint
from interp.models.normalize import assemble
from interp.models.recipe import Recipe, Weights
from interp.types import Finding, Preprocessing

LABELS = tuple("0123456789")
WEIGHTS = Path(__file__).parent / "weights" / "digits.safetensors"
PREPROCESSING = Preprocessing(crop=(32, 32), resize=None)
MEAN, STD = (0.3, 0.3, 0.3), (0.35, 0.35, 0.35)
SEED = 0
EPOCHS = 30
BATCH = 32
LEARNING_RATE = 2e-3
SHIFT = 3


class DigitsNetwork(nn.Module):
    """Five convolutions with biases, two poolings, a linear layer on the mean of the last 8 × 8 map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _block(3, 16)
        self.conv2 = _block(16, 32)
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = _block(32, 48)
        self.pool3 = nn.MaxPool2d(2)
        self.conv4 = _block(48, 64)
        self.conv5 = _block(64, 64)
        self.linear = nn.Linear(64, len(LABELS))

    def forward(self, pixels: Float[Tensor, "n 3 32 32"]) -> Float[Tensor, "n 10"]:
        """Normalized pixels to logits."""
        hidden = self.pool2(self.conv2(self.conv1(pixels)))
        hidden = self.conv5(self.conv4(self.pool3(self.conv3(hidden))))
        return self.linear(hidden.mean(dim=(2, 3)))


def _block(colours: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(colours, channels, 3, padding=1), nn.ReLU())


def recipe(weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    """How to build the bundled classifier; its notes say how well it does on digits that it has not seen."""
    notes = ()
    if weights is None:
        accuracy = checkpoint.figures(WEIGHTS)["held_out_accuracy"]
        notes = (f"Accuracy on the held-out digits, a quarter that it was not trained on: {accuracy:.1%}.",)
    return Recipe(
        name="digits (random weights)" if weights == "random" else "digits",
        architecture="interp.models.digits.DigitsNetwork",
        build=lambda classes, size: DigitsNetwork(),
        preprocessing=PREPROCESSING,
        mean=MEAN,
        std=STD,
        labels=labels or LABELS,
        weights=weights or WEIGHTS,
        findings=tuple(Finding("measured", note) for note in notes),
        outputs="softmax",
    )


def train(path: Path) -> float:
    """Train the network on the training digits, write its weights, and give its accuracy on the held-out ones."""
    from interp.images.digits import split

    torch.manual_seed(SEED)
    pixels, classes = _digits()
    training, held_out = (torch.as_tensor(list(indices)) for indices in split())
    network = DigitsNetwork()
    _optimize(network, pixels[training], classes[training])
    with torch.no_grad():
        predicted = assemble(network, MEAN, STD)(pixels[held_out]).argmax(dim=1)
    accuracy = float((predicted == classes[held_out]).float().mean())
    checkpoint.save(path, network.state_dict(), {"held_out_accuracy": round(accuracy, 6)})
    return accuracy


def _digits() -> tuple[Float[Tensor, "n 3 32 32"], Int[Tensor, " n"]]:
    """Every digit as the classifier sees it, and its class."""
    from interp import images

    photos = images.load("digits")
    pixels = torch.stack([PREPROCESSING.pixels(sample.image) for sample in photos])
    return pixels, torch.tensor([int(label or 0) for label in photos.labels])


def _optimize(network: DigitsNetwork, pixels: Float[Tensor, "n 3 h w"], classes: Int[Tensor, " n"]) -> None:
    """Adam with a one-cycle learning rate, on digits shifted by a few pixels at random."""
    module = assemble(network, MEAN, STD).train().requires_grad_(True)
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=1e-2)
    batches = -(-len(pixels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, epochs=EPOCHS, steps_per_epoch=batches)
    for epoch in range(EPOCHS):
        total = 0.0
        for chosen in torch.randperm(len(pixels)).split(BATCH):
            loss = nn.functional.cross_entropy(module(_shifted(pixels[chosen])), classes[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() / batches
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total:.3f}")
    module.eval().requires_grad_(False)


def _shifted(pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Each picture moved by up to `SHIFT` pixels; black comes in from the side."""
    h, w = pixels.shape[2:]
    padded = nn.functional.pad(pixels, [SHIFT] * 4)
    corners = torch.randint(0, 2 * SHIFT + 1, (len(pixels), 2)).tolist()
    return torch.stack([picture[:, y : y + h, x : x + w] for picture, (y, x) in zip(padded, corners, strict=True)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(prog="python -m interp.models.digits", description="The bundled digit classifier.")
    parser.add_argument("command", choices=["train"])
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="where the weights go")
    output = parser.parse_args(arguments).output
    torch.use_deterministic_algorithms(True)
    # One thread adds in the same order on any number of cores; for pictures this small more are hardly faster.
    torch.set_num_threads(1)
    began = time.perf_counter()
    accuracy = train(output)
    print(f"held-out accuracy {accuracy:.2%}, {output} ({output.stat().st_size:,} bytes), ", end="")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
