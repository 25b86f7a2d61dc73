"""Gradient descent as t-SNE does it: momentum, a gain for each coordinate, and no step too long."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

MOMENTUM = 0.8


class Descent:
    """The memory of one descent: the last step and each coordinate's gain (Jacobs, delta-bar-delta, 1988).

    A gain grows by 0.2 while the gradient keeps its sign against the last step, and shrinks to 0.8 of itself
    otherwise, never below 0.01. Steps longer than `longest` are cut to it.
    """

    def __init__(self, points: Float[np.ndarray, "n m"], longest: float | None = None) -> None:
        self._step = np.zeros_like(points)
        self._gains = np.ones_like(points)
        self._longest = longest

    def move(self, points: Float[np.ndarray, "n m"], gradient: Float[np.ndarray, "n m"], rate: float) -> None:
        """Take one step against the gradient, changing the points in place."""
        turned = np.sign(self._step) != np.sign(gradient)
        self._gains = np.where(turned, self._gains + 0.2, self._gains * 0.8 + 0.01)
        self._step = MOMENTUM * self._step - rate * self._gains * gradient
        if self._longest is not None:
            self._step *= shortening(self._step, self._longest)
        points += self._step


def shortening(steps: Float[np.ndarray, "n m"], longest: float) -> Float[np.ndarray, "n 1"]:
    """What each row must be multiplied by so that none is longer than `longest`."""
    lengths = np.sqrt((steps * steps).sum(axis=1, keepdims=True))
    return np.minimum(1, longest / np.maximum(lengths, longest))
