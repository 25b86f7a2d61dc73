"""Decorrelation: the root of a covariance, and what is measured of a set."""

import numpy as np
import pytest
import torch

from interp import images
from interp.feature_visualization import IMAGENET, Colours, measured
from interp.feature_visualization.colours import rooted

COVARIANCE = np.array([[0.064, 0.058, 0.053], [0.058, 0.063, 0.061], [0.053, 0.061, 0.070]])


def test_the_root_gives_the_covariance_back_along_uncorrelated_axes() -> None:
    root = np.array(rooted(COVARIANCE))
    assert np.allclose(root @ root.T, COVARIANCE, atol=1e-6)
    axes = root.T @ root
    assert np.allclose(axes, np.diag(np.diag(axes)), atol=1e-9)
    assert np.all(np.diff(np.diag(axes)) <= 0) and np.all(root.sum(axis=0) >= 0)


def test_coloured_white_noise_has_the_covariance_up_to_a_factor() -> None:
    colours = Colours((0.5, 0.5, 0.5), rooted(COVARIANCE))
    noise = torch.randn(3, 200_000, generator=torch.Generator().manual_seed(0))
    found = torch.cov(colours.correlated(torch.device("cpu")) @ noise).numpy()
    largest = np.linalg.eigvalsh(COVARIANCE).max()
    assert np.allclose(found, COVARIANCE / largest, atol=0.02)


def test_a_set_is_measured_as_numpy_measures_it() -> None:
    scenes = images.load("scenes")
    few = list(range(6))
    found = measured(scenes, few)
    values = np.concatenate(
        [np.asarray(scenes[i].image.resize((64, 64), 4), np.float64).reshape(-1, 3) / 255 for i in few]
    )
    root = np.array(found.root)
    assert np.allclose(found.mean, values.mean(axis=0))
    assert np.allclose(root @ root.T, np.cov(values.T, bias=True), atol=1e-5)


def test_the_published_axes_are_those_of_the_photographs(imagenet) -> None:
    found = measured(images.load(imagenet / "images"))
    assert np.allclose(found.root, IMAGENET.root, atol=5e-4) and np.allclose(found.mean, IMAGENET.mean, atol=5e-4)


def test_a_set_in_grey_has_a_root_all_the_same() -> None:
    root = np.array(rooted(np.full((3, 3), 0.05)))
    assert np.isfinite(root).all() and abs(np.linalg.det(root)) > 0


def test_no_image_has_no_colours() -> None:
    with pytest.raises(ValueError, match="scenes"):
        measured(images.load("scenes"), [])
