"""The loop: parameters to pictures, pictures to a pass, the gradient back to the parameters."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp import progress
from interp.feature_visualization import slopes
from interp.feature_visualization.objective import Objective
from interp.feature_visualization.parameterizations import Fourier, Parameterization
from interp.feature_visualization.reading import Reading
from interp.feature_visualization.redirecting import Redirecting
from interp.feature_visualization.regularizers import Regularizer
from interp.feature_visualization.result import Frame, Visualization
from interp.feature_visualization.starts import FromPictures, Noise, Start
from interp.feature_visualization.transforms import STANDARD, Transform, drawn
from interp.passes.target_score import FORWARD
from interp.types import Classifier

FRAMES = (0, 1, 2, 4, 8, 16, 32, 48, 64, 128, 256, 512, 1024, 2048, 4096)
REDIRECTED = 16
"""In how many steps, at first, pictures without any gradient get one, by a second pass whose ReLUs block less.

So do those of sums, since in them the terms that have a gradient would hide one that has none."""

EPSILON = 1e-10
"""Adam's: less than the gradients of a probability that is nearly 0."""

PAUSE = 1.0
"""After so many seconds other work gets its turn, whether or not a frame is due."""

GREY = 0.5


@dataclass(frozen=True)
class Settings:
    """How pictures are made, whatever for.

    `copies` pictures are made for each objective, from noise of their own; `frames` are the steps after which the
    pictures are kept, the last one always among them. `learning_rate` None is what suits the parameterization. The
    same seed gives the same pictures, on the same device.
    """

    steps: int = 512
    parameterization: Parameterization = Fourier()
    transforms: tuple[Transform, ...] = STANDARD
    regularizers: tuple[Regularizer, ...] = ()
    start: Start = Noise()
    copies: int = 1
    frames: tuple[int, ...] = FRAMES
    learning_rate: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"{self.steps} steps change nothing: take at least 1; 512 is usual.")
        if self.copies < 1:
            raise ValueError(f"{self.copies} copies are no pictures: take 1 or more.")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"A learning rate of {self.learning_rate} is not possible: take more than 0.")


def optimizing(
    classifier: Classifier, objectives: Objective | Sequence[Objective], settings: Settings | None = None
) -> Generator[Frame, None, Visualization]:
    """Make a picture for each objective, all in one batch; yields frames, returns the result.

    The pictures climb their objectives by Adam, from the same noise and under the same transforms; none feels another,
    but copies that `Diversity` joins. Yet a batch of another size rounds otherwise, and the climb makes that grow: made
    alone, a picture has the same first steps, and later achieves as much by other details (on SqueezeNet 1.1 after 256
    steps values were within 1%, and pixels correlated at 0.86 to 0.93; elsewhere at 0.46). The classifier's lock is
    held during each step's passes only. Slopes are taken in bfloat16 where `slopes.climbed` says so, and what pictures
    achieve always in the classifier's own precision. Between frames the last one is yielded again about once a second,
    so that other work gets its turn.
    Raises `ValueError` for an objective that the classifier does not have, a size at which it cannot be run, or
    objectives that are not numbers.
    """
    climb = _Climb(classifier, listed(objectives), settings or Settings())
    wanted = {step for step in climb.settings.frames if 0 <= step < climb.settings.steps} | {climb.settings.steps}
    frames: list[Frame] = []
    latest: Frame | None = None
    yielded = time.monotonic()
    for step in range(climb.settings.steps + 1):
        progress.report(step, climb.settings.steps, "Optimization steps")
        if step in wanted:
            latest = climb.frame()
            frames.append(latest)
        if step in wanted or time.monotonic() - yielded > PAUSE:
            # Before the first of the frames asked for there is another one to show.
            latest = latest or climb.frame()
            yield latest
            yielded = time.monotonic()
        if step < climb.settings.steps:
            climb.step()
    return climb.result(tuple(frames))


class _Climb:
    """The state of one optimization."""

    def __init__(self, classifier: Classifier, objectives: Sequence[Objective], settings: Settings) -> None:
        self.classifier = classifier
        self.settings = settings
        self.objectives = tuple(one for one in objectives for _ in range(settings.copies))
        how = settings.parameterization
        self.size = how.resolution(classifier)
        with torch.inference_mode(False):
            self.reading = Reading(classifier, self.objectives, settings.copies)
            climbs = slopes.climbed(classifier, self.objectives, settings.copies, self.size)
            self.slopes = self.reading if climbs is classifier else Reading(climbs, self.objectives, settings.copies)
            # One term's gradient hides that another has none.
            self.composite = torch.tensor([len(one.parts) > 1 for one in self.objectives], device=classifier.device)
            self.decode = how.decoder(classifier)
            self.parameters = _begun(classifier, len(objectives), settings).requires_grad_()
        self.adam = torch.optim.Adam(
            [self.parameters], lr=settings.learning_rate or how.learning_rate, eps=EPSILON, fused=True
        )
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.curve: list[Tensor] = []
        self.passes = 0.0
        self.seconds = 0.0

    def step(self) -> None:
        """One pass forth and back under transforms of its own, and one step of Adam."""
        begun = time.perf_counter()
        warp = drawn(self.settings.transforms, self.size, self.generator)
        with torch.inference_mode(False), torch.enable_grad():
            pixels = self.decode(self.parameters)
            seen = warp(pixels)
            values, slope = self._slope(seen.detach())
            if len(self.curve) < REDIRECTED:
                silent = self.composite | (slope.flatten(1).abs().amax(dim=1) == 0)
                if bool(silent.any()):
                    redirected = self._slope(seen.detach(), Redirecting())[1]
                    slope = torch.where(silent[:, None, None, None], redirected, slope)
            ends, slopes = [seen], [slope]
            for penalty in self._penalties(pixels):
                ends.append(penalty)
                slopes.append(torch.ones_like(penalty))
            (self.parameters.grad,) = torch.autograd.grad(ends, self.parameters, slopes)
        self.adam.step()
        self.curve.append(values)
        self.seconds += time.perf_counter() - begun

    def frame(self) -> Frame:
        """The pictures as they are now, and what they achieve. Raises `ValueError` where that is no number."""
        begun = time.perf_counter()
        pixels, values = self._clean()
        if not bool(values.isfinite().all()):
            row = int((~values.isfinite()).nonzero()[0, 0])
            raise ValueError(
                f"{self.classifier.name} gave {float(values[row])} for the {self.objectives[row]} after "
                f"{len(self.curve)} steps: check the weights, or take a smaller learning rate."
            )
        self.seconds += time.perf_counter() - begun
        steps = self.settings.steps
        return Frame(len(self.curve), steps, pixels.cpu(), values.cpu(), self._curve())

    def result(self, frames: tuple[Frame, ...]) -> Visualization:
        """What came out, pictures of dead objectives in grey."""
        last = frames[-1]
        dead = self._dead(last)
        pixels = last.pixels.masked_fill(dead[:, None, None, None], GREY) if bool(dead.any()) else last.pixels
        return Visualization(self.objectives, pixels, last.values, dead, frames, last.curve, self.passes, self.seconds)

    def _slope(
        self, seen: Tensor, redirecting: Redirecting | None = None, *, exact: bool = False
    ) -> tuple[Tensor, Tensor]:
        """A pass forth and back: the objectives, and their gradients at what the network sees, downwards."""
        reading = self.reading if exact else self.slopes
        self.passes += 1
        leaf = seen.requires_grad_()
        with self.classifier.lock, torch.enable_grad():
            with redirecting or nullcontext():
                values = reading.values(leaf)
            (slope,) = torch.autograd.grad(-values.sum(), leaf)
        return values.detach(), slope

    def _penalties(self, pixels: Tensor) -> list[Float[Tensor, " n"]]:
        given = [one.penalty(pixels) for one in self.settings.regularizers]
        of_parameters = self.settings.parameterization.penalty(self.parameters)
        return given if of_parameters is None else [*given, of_parameters]

    def _clean(self) -> tuple[Tensor, Tensor]:
        """The pictures, and their objectives, without transforms."""
        self.passes += FORWARD
        with self.classifier.lock, torch.inference_mode(False), torch.no_grad():
            pixels = self.decode(self.parameters)
            return pixels, self.reading.values(pixels)

    def _curve(self) -> Float[Tensor, "s n"]:
        return torch.stack(self.curve).cpu() if self.curve else torch.zeros(0, len(self.objectives))

    def _dead(self, last: Frame) -> Bool[Tensor, " n"]:
        """Whose objective was never above 0, and has no gradient at the end."""
        never = (last.values <= 0) & (last.curve <= 0).all(dim=0)
        if not bool(never.any()):
            return never
        with torch.inference_mode(False):
            slope = self._slope(last.pixels.to(self.classifier.device, copy=True), exact=True)[1]
        return never & (slope.flatten(1).abs().amax(dim=1) == 0).cpu()


def _begun(classifier: Classifier, objectives: int, settings: Settings) -> Tensor:
    """The parameters that the pictures begin with."""
    how, start, copies = settings.parameterization, settings.start, settings.copies
    if isinstance(start, FromPictures):
        if start.pixels.shape[1] != classifier.channels:
            sees = "grey (1)" if classifier.channels == 1 else "RGB (3)"
            raise ValueError(
                f"The pictures to begin with have pixels of {start.pixels.shape[1]} numbers, and {classifier.name} "
                f"sees {sees}: make them with classifier.prepare."
            )
        parameters = how.parameters(start.each(objectives, copies), classifier)
        deviation = float(start.deviation)
    else:
        parameters = how.neutral(objectives * copies, classifier)
        deviation = how.deviation if start.deviation is None else float(start.deviation)
    # Drawn one by one, so that the first copies are the same however many follow.
    generator = torch.Generator().manual_seed(settings.seed)
    noise = torch.stack([torch.randn(parameters.shape[1:], generator=generator) for _ in range(copies)])
    return parameters + deviation * noise.repeat(objectives, *[1] * (noise.ndim - 1)).to(parameters)


def listed(objectives: Objective | Sequence[Objective]) -> tuple[Objective, ...]:
    """The objectives as a tuple, also of one. Raises `ValueError` where there is none."""
    given = (objectives,) if isinstance(objectives, Objective) else tuple(objectives)
    if not given:
        raise ValueError("No objectives were given: there is nothing to make a picture for.")
    return given
