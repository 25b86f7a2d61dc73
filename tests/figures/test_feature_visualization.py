"""Figures of feature visualization: what stands in them is what was given."""

import numpy as np
import torch

from interp.figures.feature_visualization import objective_curves, spectrum


def test_each_picture_has_its_curve() -> None:
    curves = (("<b>up", torch.tensor([0.0, 1, 3])), ("down", torch.tensor([0.0, 2])))
    up, down = objective_curves(curves).data
    assert list(up.y) == [0, 1, 3] and list(down.y) == [0, 2] and up.name == "&lt;b&gt;up"


def test_the_spectrum_is_of_every_image() -> None:
    values = np.linspace(0, 1, 7)
    [bars] = spectrum(values).data
    assert np.array_equal(bars.x, values) and bars.type == "histogram"
