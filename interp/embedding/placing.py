"""New images in a map that stays as it is; each method has its own way, and none of them is random."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from interp import progress
from interp.embedding.checks import usable
from interp.embedding.descent import Descent, shortening
from interp.embedding.forces import Anchored
from interp.embedding.method import Projection
from interp.embedding.neighbours import Neighbours, nearest_to
from interp.embedding.pca import PCA, placed, principal_axes
from interp.embedding.tsne import TSNE, affinities_to
from interp.embedding.umap import MANY, UMAP, Graph, memberships

# openTSNE's choices for placing: few neighbours, small steps, a little exaggeration.
PERPLEXITY, NEAREST = 5, 25
STEPS, RATE, EXAGGERATION, LONGEST = 250, 0.1, 1.5, 0.25

EPOCHS, EPOCHS_OF_MANY = 100, 30


def place(
    new: Float[np.ndarray, "q e"], features: Float[np.ndarray, "n d"], projection: Projection
) -> Float[np.ndarray, "q m"]:
    """Where new images lie in a map, from their features and those that the map was made of.

    PCA: along the same axes, exactly. t-SNE: at the median of the 25 nearest images, then 250 steps down the gradient
    against them (Poličar, Stražar and Zupan, openTSNE, 2019). UMAP: between the nearest images, then umap-learn's
    epochs against them, and from there towards the nearest image, the more the nearer that is than the second: one
    that the map holds comes back to its own place, where umap-learn's transform puts it 0.02 to 0.6 of the map's
    spread away. The old points do not move, and new ones do not feel each other; for t-SNE and PCA a point's place
    does not depend on which others are placed with it. A new image is always put somewhere, also one that is like
    none of the old: look at its distance. Raises `ValueError` where the features do not fit each other or the map, or
    are not finite.
    """
    asked, known = usable(new), usable(features)
    if asked.shape[1] != known.shape[1]:
        raise ValueError(
            f"The new images have {asked.shape[1]} features and the map's {known.shape[1]}: take both from one layer."
        )
    if len(known) != len(projection):
        raise ValueError(f"The map has {len(projection)} points, and features were given for {len(known)} images.")
    match projection.method:
        case PCA(dimensions=dimensions):
            return placed(principal_axes(known, dimensions), asked, dimensions).astype(np.float32)
        case TSNE() as method:
            asked, known = _reduced(asked, known, method.reduction)
            return _into_tsne(asked, known, projection.points, method)
        case UMAP() as method:
            asked, known = _reduced(asked, known, method.reduction)
            found = nearest_to(asked, known, method.neighbours, metric=method.metric)
            return _drawn_home(_into_umap(found, projection.points, method), found, projection.points)
    raise ValueError(f"{projection.method.title} has no way to place new images: take PCA, t-SNE or UMAP.")


def _reduced(
    new: Float[np.ndarray, "q d"], features: Float[np.ndarray, "n d"], reduction: int | None
) -> tuple[Float[np.ndarray, "q a"], Float[np.ndarray, "n a"]]:
    if reduction is None or reduction >= features.shape[1]:
        return new, features
    axes = principal_axes(features, reduction)
    return axes.project(new), axes.project(features)


def _into_tsne(
    new: Float[np.ndarray, "q d"], features: Float[np.ndarray, "n d"], points: Float[np.ndarray, "n m"], method: TSNE
) -> Float[np.ndarray, "q m"]:
    count = len(points)
    perplexity = min(PERPLEXITY, method.perplexity)
    found = nearest_to(new, features, min(NEAREST, count), metric=method.metric)
    old = points.astype(np.float64)
    placed_at = np.ascontiguousarray(np.median(old[found.indices], axis=1))
    anchored, descent, rows = Anchored(old), Descent(placed_at), affinities_to(found, perplexity, count)
    for step in range(STEPS):
        progress.report(step, STEPS, "placing new images")
        gradient = anchored.gradient(placed_at, rows, EXAGGERATION)
        # A new point on top of an old one meets a force without bound.
        descent.move(placed_at, gradient * shortening(gradient, LONGEST), RATE)
    return placed_at.astype(np.float32)


def _into_umap(found: Neighbours, points: Float[np.ndarray, "n m"], method: UMAP) -> Float[np.ndarray, "q m"]:
    """As umap-learn's own transform does it."""
    from umap.umap_ import init_graph_transform

    graph = memberships(found, len(points), connectivity=0.0, bipartite=True)
    old = np.ascontiguousarray(points, dtype=np.float32)
    placed_at = init_graph_transform(graph.tocsr(), old)
    if method.epochs is not None:
        epochs = max(1, method.epochs // 3)
    else:
        epochs = EPOCHS if len(found.indices) <= MANY else EPOCHS_OF_MANY
    graph.data[graph.data < graph.data.max() / epochs] = 0
    graph.eliminate_zeros()
    random = np.random.RandomState(method.seed).randint(-(2**31) + 1, 2**31 - 2, 3).astype(np.int64)
    # A quarter of the rate at which the map itself was made.
    for epoch in Graph(graph, epochs, random, *method.curve()).epochs(placed_at, old, 0.25):
        progress.report(epoch, epochs, "placing new images")
    return placed_at


def _drawn_home(
    places: Float[np.ndarray, "q m"], found: Neighbours, points: Float[np.ndarray, "n m"]
) -> Float[np.ndarray, "q m"]:
    """Moved towards the nearest image's point by the share 1 − d₁ / d₂ of the way, d the distances in the features.

    umap-learn's epochs pull a point with all of its neighbours, however near the first one is.
    """
    first, second = found.distances[:, :1], found.distances[:, 1:2]
    away = np.divide(first, second, out=np.zeros_like(first), where=second > 0)
    home = points[found.indices[:, 0]]
    return (home + away * (places - home)).astype(np.float32)
