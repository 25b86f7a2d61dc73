"""LIME and Shapley values of segments by other people's code and by definition, from a table of all coalitions' scores.

A table holds the score of every coalition of segments, numbered by the segments' bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb

import numpy as np
import torch
from torch import Tensor

from benchmarks.peer_maps import Asked


def scores_of_all(asked: Asked, labels: Tensor) -> np.ndarray:
    """The logit for every coalition of segments, numbered by their bits; the picture's mean colour hides the others."""
    players = int(labels.max()) + 1
    fill = asked.pixels.mean(dim=(2, 3), keepdim=True)
    shown = (torch.arange(2**players)[:, None] >> torch.arange(players) & 1).bool()
    parts = [asked.score(torch.where(part[:, labels][:, None], asked.pixels, fill)) for part in shown.split(8)]
    return torch.cat(parts).double().numpy()


def coalitions_of(players: int) -> np.ndarray:
    """Every coalition, numbered by its bits."""
    return np.arange(2**players)[:, None] >> np.arange(players) & 1


def exact_shapley(table: np.ndarray) -> np.ndarray:
    """By the definition: the mean of what a player adds to those who came before, over all orders."""
    players = int(np.log2(len(table)))
    codes, sizes = np.arange(len(table)), coalitions_of(players).sum(axis=1)
    weights = np.array([1 / (players * comb(players - 1, size)) if size < players else 0 for size in sizes])
    added = [table[codes | 1 << player] - table for player in range(players)]
    return np.array([(weights * one).sum() for one in added])


def shap_package(table: np.ndarray, samples: int) -> np.ndarray:
    """The shap package's Kernel SHAP; with samples for all coalitions it takes them all."""
    import shap

    players = int(np.log2(len(table)))
    explainer = shap.KernelExplainer(lambda present: table[_codes(present)], np.zeros((1, players)))
    return explainer.shap_values(np.ones(players), nsamples=samples, l1_reg=0, silent=True)


def lime_package(table: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """The lime package, from that many coin flips."""
    from lime.lime_image import LimeImageExplainer

    players = int(np.log2(len(table)))
    explanation = LimeImageExplainer(random_state=seed).explain_instance(
        np.ones((1, players, 3)),
        lambda pictures: table[_codes(pictures[:, 0, :, 0])][:, None],
        labels=(0,),
        top_labels=None,
        hide_color=0,
        num_samples=samples,
        segmentation_fn=lambda picture: np.arange(players)[None],
    )
    return np.array([dict(explanation.local_exp[0])[player] for player in range(players)])


def lime_package_of_all(table: np.ndarray) -> np.ndarray:
    """The lime package's weights and regression, given each coalition once, the whole picture first."""
    from lime.lime_image import LimeImageExplainer
    from sklearn.metrics import pairwise_distances

    players = int(np.log2(len(table)))
    present = coalitions_of(players)[::-1].astype(float)
    distances = pairwise_distances(present, present[:1], metric="cosine").ravel()
    _, found, _, _ = LimeImageExplainer().base.explain_instance_with_data(
        present, table[::-1, None], distances, 0, players, feature_selection="none"
    )
    return np.array([dict(found)[player] for player in range(players)])


def lime_weight(present: Tensor) -> float:
    """How much LIME's authors let a coalition count, by its cosine distance to the whole picture."""
    share = float(present.sum()) / present.numel()
    return float(np.exp(-((1 - share**0.5) ** 2) / (2 * 0.25**2)))


def shapley_weight(present: Tensor) -> float:
    """The Shapley kernel, with next to infinity for all and none."""
    players, size = present.numel(), int(present.sum())
    return 1e6 if size in (0, players) else (players - 1) / (comb(players, size) * size * (players - size))


def captum_of_all(table: np.ndarray, weight: Callable[[Tensor], float], model: object) -> Tensor:
    """Captum's regression on coalitions, given each once."""
    from captum.attr import LimeBase

    players = int(np.log2(len(table)))

    def each(original: Tensor, **keywords: object) -> Iterator[Tensor]:
        yield from torch.as_tensor(coalitions_of(players)).float()[:, None]

    surrogate = LimeBase(
        lambda present: torch.as_tensor(table)[_codes(present)],
        model,
        lambda original, perturbed, present, **keywords: weight(present),
        each,
        True,
        lambda present, original, **keywords: present,
        None,
    )
    return surrogate.attribute(torch.ones(1, players), n_samples=len(table), num_interp_features=players)[0]


def _codes(present: np.ndarray) -> np.ndarray:
    return (np.asarray(present) > 0.5) @ (1 << np.arange(np.shape(present)[1]))
