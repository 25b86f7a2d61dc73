"""What a visualization costs above its passes, against torch-lucent, and how well its pictures drive their channels.

    python -m benchmarks.feature_visualization [--only overhead sheet preview alone shares fourier]
        [--lucent SITE_PACKAGES] [--channels 16] [--steps 256] [--weights FILE] [--photographs FOLDER] [--pictures OUT]

One compute thread; SqueezeNet with the published weights, pictures of 128 × 128 pixels. Processor time of the whole
process, ours and the other in turns, medians of the rounds' own ratios.

overhead: steps of the loop against the same forward and backward passes alone, to the same layer, of as many pictures.
sheet: a sheet's picture against torch-lucent's, one by one (a few steps of each, as every step costs the same): as
that package is, which enlarges pictures to 224, and held to 128. `--lucent` is a folder that has it, with kornia 0.4.1.
preview: from nothing to 64 steps of one channel, the loaded classifier given.
alone: the same picture alone and among 64, by what it achieves and by its largest difference in a pixel.
shares: of a layer's first channels (`--channels 0`: of all), those whose picture drives them higher than the best image
of the set does: by the mean over positions, which is what pictures are made for, and by the largest activation.
fourier: the standard way against plain pixels without transforms, on the same channels.
`--pictures` keeps the sheets of the last two as PNG.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from interp import embedding, images, models
from interp import feature_visualization as fv
from interp.feature_visualization.optimization import REDIRECTED, _Climb
from interp.images import ImageSet
from interp.types import Classifier, Images

SHARED = Path(__file__).resolve().parents[2] / "shared/imagenet"
SIZE = 128
LAYERS = ("features.7", "features.12")
PARTS = ("overhead", "sheet", "preview", "alone", "shares", "fourier")


def seconds(work: Callable[[], object]) -> float:
    """Processor time of the whole process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def climb(classifier: Classifier, layer: str, count: int) -> _Climb:
    """An optimization of a layer's first channels, past its first steps."""
    settings = fv.Settings(parameterization=fv.Fourier(SIZE))
    begun = _Climb(classifier, fv.channels_of(classifier, layer)[:count], settings)
    for _ in range(REDIRECTED + 1):
        begun.step()
    return begun


def overhead(classifier: Classifier, rounds: int) -> None:
    """Steps against bare passes."""
    print(
        "| layer | pictures at once | a picture's step, ms | its passes, ms | above the passes |\n|---|---|---|---|---|"
    )
    settings = fv.Settings(parameterization=fv.Fourier(SIZE))
    for layer in LAYERS:
        for count in (1, fv.batch_for(classifier, settings)):
            ours = climb(classifier, layer, count)
            pixels = ours.decode(ours.parameters).detach().requires_grad_()

            def passes(ours: _Climb = ours, pixels: torch.Tensor = pixels) -> None:
                torch.autograd.grad(ours.reading.values(pixels).sum(), pixels)

            taken = []
            # Several in a row, so that each finds the caches as in a loop.
            for _ in range(rounds):
                taken.append([seconds(lambda w=work: [w() for _ in range(6)]) / 6 for work in (ours.step, passes)])
            step, bare = (1000 * median(column) / count for column in zip(*taken, strict=True))
            above = median(one / other for one, other in taken) - 1
            print(f"| {layer} | {count} | {step:.2f} | {bare:.2f} | {above:.0%} |", flush=True)


def lucent_step(folder: str, weights: Path, layer: str, channel: int, size: int | None) -> Callable[[int], object]:
    """So many steps of torch-lucent on one channel, its passes at this size (None: as it chooses)."""
    if folder not in sys.path:
        # Last, so that this project's own packages win.
        sys.path.append(folder)
    from lucent.optvis import objectives, param, render  # pyright: ignore[reportMissingImports]
    from safetensors.torch import load_file
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1()
    network.load_state_dict(load_file(weights))
    network.eval()
    objective = objectives.channel(layer.replace(".", "_"), channel)
    return lambda steps: render.render_vis(
        network,
        objective,
        lambda: param.image(SIZE),
        thresholds=(steps,),
        show_image=False,
        progress=False,
        fixed_image_size=size,
    )


def one_by_one(classifier: Classifier, layer: str, channel: int) -> Callable[[int], object]:
    """So many steps of our own loop on one channel."""
    objective = fv.Channel(layer, channel)
    return lambda steps: fv.optimize(classifier, objective, steps=steps, parameterization=fv.Fourier(SIZE), frames=())


def sheet(classifier: Classifier, weights: Path, folder: str | None, rounds: int) -> None:
    """A sheet's picture against one made alone elsewhere."""
    settings = fv.Settings(parameterization=fv.Fourier(SIZE))
    count = fv.batch_for(classifier, settings)
    print(f"\n| layer | one by one | its step, ms | a picture's step in a sheet (batches of {count}), ms | times |")
    print("|---|---|---|---|---|")
    for layer in LAYERS:
        ours = climb(classifier, layer, count)
        others: dict[str, Callable[[int], object]] = {"our own loop": one_by_one(classifier, layer, 3)}
        if folder is not None:
            others["torch-lucent, at 128"] = lucent_step(folder, weights, layer, 3, SIZE)
            others["torch-lucent, as it is"] = lucent_step(folder, weights, layer, 3, None)
        for name, other in others.items():
            other(2)
            taken = []
            for _ in range(rounds):
                mine = seconds(lambda climbing=ours: [climbing.step() for _ in range(6)]) / 6 / count
                # The difference leaves out what is done once.
                theirs = (seconds(lambda run=other: run(14)) - seconds(lambda run=other: run(2))) / 12
                taken.append((mine, theirs))
            times = median(theirs / mine for mine, theirs in taken)
            mine, theirs = (1000 * median(column) for column in zip(*taken, strict=True))
            print(f"| {layer} | {name} | {theirs:.1f} | {mine:.1f} | {times:.1f} |", flush=True)


def preview(classifier: Classifier) -> None:
    """Seconds until a picture can be looked at."""
    print("\n| one channel, 64 steps | until the frame after 64 steps, s (wall) | processor, s |\n|---|---|---|")
    for layer in LAYERS:
        wall, processor = time.perf_counter(), time.process_time()
        fv.optimize(classifier, fv.Channel(layer, 3), steps=64, parameterization=fv.Fourier(SIZE))
        print(f"| {layer} | {time.perf_counter() - wall:.2f} | {time.process_time() - processor:.2f} |", flush=True)


def alone(classifier: Classifier, steps: int) -> None:
    """One picture among 64, and by itself."""
    channels = fv.channels_of(classifier, "features.7")[:64]
    how = fv.Fourier(64)
    among = fv.optimize(classifier, channels, steps=steps, parameterization=how, frames=(), batch_size=64)
    print(f"\n| channel of features.7 | among 64, {steps} steps, 64 px | alone | differs by | largest in a pixel |")
    print("|---|---|---|---|---|")
    for row in (0, 9, 33, 63):
        single = fv.optimize(classifier, channels[row], steps=steps, parameterization=how, frames=())
        there, here = float(among.values[row]), float(single.values[0])
        pixel = float((among.pixels[row] - single.pixels[0]).abs().max())
        print(f"| {row} | {there:.2f} | {here:.2f} | {abs(here / there - 1):.2%} | {pixel:.3f} |", flush=True)


def best_mean(classifier: Classifier, made: fv.Visualization, photos: ImageSet, layer: str) -> torch.Tensor:
    """The largest mean activation that an image of the set has, for each channel that a picture was made for."""
    [*_, [means]] = fv.strengths(classifier, layer, photos)
    return torch.from_numpy(means.values.max(axis=0)[: len(made)])


def peaks(classifier: Classifier, made: fv.Visualization, photos: ImageSet, layer: str) -> torch.Tensor:
    """Whose picture has a larger largest activation than every image."""
    strongest = np.nanmax(embedding.features(classifier, photos, layer=layer, pooling="max"), axis=0)
    reached = [
        float(fv.map_of(classifier, Images(made.pixels[row : row + 1], ("",)), layer, row).max())
        for row in range(len(made))
    ]
    return torch.tensor(reached) > torch.from_numpy(strongest[: len(made)])


def shares(classifier: Classifier, photos: ImageSet, layers: list[str], given: argparse.Namespace) -> None:
    """Of each layer's channels, those whose picture is stronger than every image."""
    how = fv.usual(classifier, given.steps, fv.colours_of(classifier, photos))
    for layer in layers:
        channels = fv.channels_of(classifier, layer)[: given.channels or None]
        made = fv.optimize(
            classifier, channels, steps=how.steps, parameterization=how.parameterization, frames=(), seed=how.seed
        )
        best, seen = best_mean(classifier, made, photos, layer), fv.tones(made.pixels)
        alive, beaten = ~made.dead, made.values > best
        ratio = float((made.values / best.clamp(min=1e-6))[alive].median())
        odd = int(((seen.grey | seen.saturated) & alive).sum())
        mean, largest = beaten & alive, peaks(classifier, made, photos, layer) & alive
        print(
            f"| {classifier.name} | {layer} | {len(channels)} | {int(made.dead.sum())} | {counted(mean, alive)} | "
            f"{ratio:.1f} | {counted(largest, alive)} | {odd} |",
            flush=True,
        )
        lost = (alive & ~beaten).nonzero().flatten().tolist()
        if lost:
            told = ", ".join(f"{row} ({made.values[row]:.3g} under {best[row]:.3g})" for row in lost)
            print(f"\nNot stronger in {layer}: {told}\n", flush=True)
        keep(made.pixels, given.pictures, f"{classifier.name}-{layer}")


def counted(beaten: torch.Tensor, alive: torch.Tensor) -> str:
    """How many of those that are not dead."""
    return f"{int(beaten.sum())} of {int(alive.sum())} ({int(beaten.sum()) / max(1, int(alive.sum())):.1%})"


def fourier(classifier: Classifier, given: argparse.Namespace) -> None:
    """Ways to make the same pictures."""
    ways = {
        "pixels, no transforms": (fv.Pixels(SIZE), ()),
        "pixels, transforms": (fv.Pixels(SIZE), fv.STANDARD),
        "Fourier, no transforms": (fv.Fourier(SIZE), ()),
        "Fourier, transforms": (fv.Fourier(SIZE), fv.STANDARD),
    }
    channels = fv.channels_of(classifier, LAYERS[1])[: min(8, given.channels)]
    print(
        f"\n| {LAYERS[1]}, {len(channels)} channels | achieved | kept when shifted | kept when moved "
        "| in the finest octave | contrast |"
    )
    print("|---|---|---|---|---|---|")
    for name, (how, transforms) in ways.items():
        made = fv.optimize(
            classifier, channels, steps=given.steps, parameterization=how, transforms=transforms, frames=()
        )
        kept = [fv.moved(classifier, channels, made.pixels, amount) for amount in (fv.LITTLE, fv.MUCH)]
        little, much = (float((one / made.values).mean()) for one in kept)
        fine, contrast = float(fv.finest(made.pixels).mean()), float(fv.tones(made.pixels).contrast.mean())
        print(
            f"| {name} | {float(made.values.mean()):.0f} | {little:.0%} | {much:.0%} | {fine:.0%} | {contrast:.2f} |",
            flush=True,
        )
        keep(made.pixels, given.pictures, f"ways-{name.replace(', ', '-').replace(' ', '-')}")


def keep(pixels: torch.Tensor, folder: Path | None, name: str) -> None:
    """The pictures as one PNG, eight in a row, where a folder is given."""
    if folder is None:
        return
    rows = [torch.nn.functional.pad(one, (2, 2, 2, 2), value=1.0) for one in pixels]
    blank = torch.ones_like(rows[0])
    rows += [blank] * (-len(rows) % 8)
    whole = torch.cat([torch.cat(rows[start : start + 8], dim=2) for start in range(0, len(rows), 8)], dim=1)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray((whole.permute(1, 2, 0).numpy() * 255).astype(np.uint8)).save(folder / f"{name}.png")


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--lucent", default=None)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--layers", nargs="*", default=None, help="for shares; SqueezeNet's, or of scenes after a colon"
    )
    parser.add_argument("--pictures", type=Path, default=None)
    parser.add_argument("--weights", type=Path, default=SHARED / "squeezenet1_1-imagenet.safetensors")
    parser.add_argument("--photographs", type=Path, default=SHARED)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning)
    classifier = models.load("squeezenet1_1", weights=given.weights, device="cpu")
    if "overhead" in given.only:
        overhead(classifier, given.rounds)
    if "sheet" in given.only:
        sheet(classifier, given.weights, given.lucent, given.rounds)
    if "preview" in given.only:
        preview(classifier)
    if "alone" in given.only:
        alone(classifier, given.steps)
    if "shares" in given.only:
        layers = given.layers or ["features.4", "features.7", "features.12", ":mixed3b", ":mixed4b", ":mixed5b"]
        print(
            "\n| classifier | layer | channels | dead | stronger than every image | times the best | "
            "by the largest activation | grey, saturated |"
        )
        print("|---|---|---|---|---|---|---|---|")
        ours = [layer[1:] for layer in layers if layer.startswith(":")]
        theirs = [layer for layer in layers if not layer.startswith(":")]
        if theirs:
            shares(classifier, images.load(given.photographs), theirs, given)
        if ours:
            scenes = models.load("scenes-honest", device="cpu")
            shares(scenes, images.load("scenes"), ours, given)
    if "fourier" in given.only:
        fourier(classifier, given)


if __name__ == "__main__":
    main()
