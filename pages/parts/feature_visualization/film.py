"""The frames of an optimization, with a slider, and the curve of its objectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

import cache
from interp import feature_visualization as fv
from interp.figures.feature_visualization import objective_curves
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import charts, replay

FRAMES = (0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""After how many steps the pictures are kept, to be looked at one after another."""


@dataclass(frozen=True, eq=False)
class Reel:
    """One picture's optimization: what it is called, its frames so far, and whether it is known to be dead."""

    name: str
    frames: tuple[fv.Frame, ...]
    dead: bool = False

    def at(self, step: int) -> fv.Frame:
        """The last frame that is no later."""
        return max((one for one in self.frames if one.step <= step), key=lambda one: one.step, default=self.frames[0])


def reel(name: str, job: cache.Job) -> Reel | None:
    """What a job of `fv.optimizing` with one picture has so far; None before its first frame."""
    if job.state == "done":
        return Reel(name, job.value.frames, bool(job.value.dead[0]))
    return Reel(name, tuple(job.partial[-1:])) if job.partial else None


def film(reels: Sequence[Reel], *, side: int = 190) -> None:
    """The pictures at a step of the optimization that is chosen with a slider, and the curves of their objectives.

    The steps to choose from are the first one's.
    """
    steps = [frame.step for frame in reels[0].frames]
    step = steps[-1]
    if len(steps) > 1:
        step = st.select_slider("Step", steps, value=steps[-1], key=f"fv-step-{steps[-1]}")
    shown = [one.at(step) for one in reels]
    pictures, curve = st.columns([3, 2], gap="medium")
    with pictures:
        captions = [
            PictureCard(
                one.name,
                "dead: nothing drives it"
                if one.dead
                else f"{abs(float(frame.values[0])):.3g} after {frame.step:,} steps",
            )
            for one, frame in zip(reels, shown, strict=True)
        ]
        picturecards.draw([fv.bytes_of(frame.pixels[0]) for frame in shown], captions, side=side)
    with curve:
        replay.once(_curve, tuple((one.name, one.frames[-1].curve[:, 0]) for one in reels))


def _curve(curves: tuple[tuple[str, Tensor], ...]) -> None:
    if any(len(values) for _, values in curves):
        charts.draw(objective_curves(curves), config={"displayModeBar": False})
