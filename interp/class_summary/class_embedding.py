"""Maps of the classes, one for each layer, begun at the one of the layer before, so that classes can be followed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, Num

from interp import progress
from interp.class_summary.similarity import check_layers, unit_rows
from interp.embedding import PCA, TSNE, UMAP, ProjectionMethod, Quality, align, project
from interp.types import Fingerprinted

SUMMIT = UMAP(neighbours=15, minimum_distance=0.1, metric="cosine")
"""The map of the published class embedding."""

FEWEST = 4
"""Fewer classes make no neighbourhoods."""


@dataclass(frozen=True, eq=False)
class ClassEmbedding(Fingerprinted):
    """Where each class lies on the map of each layer.

    `classes` are the places of the classes that are drawn, in the order of the points; `left_out` those of classes
    without images. `methods` is what each layer was really drawn by: where there are few classes with fewer neighbours
    or a lower perplexity, or by PCA. `quality` says how far each map can be trusted.
    """

    classes: Int[np.ndarray, " c"]
    left_out: Int[np.ndarray, " o"]
    points: Mapping[str, Float[np.ndarray, "c 2"]]
    methods: Mapping[str, ProjectionMethod]
    quality: Mapping[str, Quality]
    remarks: tuple[str, ...]


def embed_classes(
    counts: Mapping[str, Num[np.ndarray, "_ _"]], images: Int[np.ndarray, " n"], method: ProjectionMethod = SUMMIT
) -> Generator[ClassEmbedding, None, ClassEmbedding]:
    """The classes' maps by their counts A, from the first layer on; yields those that there are after each layer.

    Rows of A are divided by their length, so that classes are near that are alike by cosine, whatever the method's
    metric, and however many images they have. UMAP and t-SNE begin in each layer at the map of the layer before
    (Hohman et al. 2019). That alone does not make layers comparable: UMAP's first steps are long, and turn or mirror
    the map, and t-SNE's exaggeration tears it up. So t-SNE goes without exaggeration from the second layer on, and
    every map is laid on the one before by orthogonal Procrustes, which takes away nothing that a map says. PCA, which
    has no beginning, is laid so alone.

    With fewer than 4 classes, or where all have the same counts in a layer, PCA draws it. UMAP takes at most as many
    neighbours as there are classes, t-SNE a third of the others as perplexity. Remarks say all this.

    Raises `ValueError` where no class has images, counts and images do not fit, or the method is not in 2 dimensions.
    """
    check_layers(counts)
    for layer, own in counts.items():
        if len(own) != len(images):
            raise ValueError(
                f"Layer {layer!r} has counts of {len(own)} classes, and images are given of {len(images)}."
            )
    if getattr(method, "dimensions", 2) != 2:
        raise ValueError("Maps of classes are drawn in 2 dimensions: take a method with dimensions=2.")
    classes = np.flatnonzero(images > 0)
    left_out = np.flatnonzero(images <= 0)
    if not len(classes):
        raise ValueError("No class has images, so there is nothing to map.")
    fitted, remarks = _fitted(method, len(classes))
    if len(left_out):
        remarks.append(f"{len(left_out)} of {len(images)} classes have no images and are left out.")
    found = ClassEmbedding(classes, left_out, {}, {}, {}, ())
    before: Float[np.ndarray, "c 2"] | None = None
    for at, (layer, own) in enumerate(counts.items()):
        rows = unit_rows(own[classes]).astype(np.float32)
        alike = bool((rows == rows[0]).all())
        if alike and len(classes) > 1:
            remarks.append(f"In {layer} the same stands out in all classes, so they lie on one spot.")
        used = PCA() if alike else fitted if before is None else _continued(fitted)
        with progress.within(at, 1, len(counts), "maps of classes"):
            drawn = project(rows, used, start=before)
        points = drawn.points
        if not alike and before is not None:
            points = align(points, before).points.astype(np.float32)
        before = before if alike else points
        found = ClassEmbedding(
            classes,
            left_out,
            {**found.points, layer: points},
            {**found.methods, layer: used},
            {**found.quality, layer: drawn.quality},
            tuple(remarks),
        )
        yield found
    for remark in remarks:
        progress.remark(remark)
    return found


def _continued(method: ProjectionMethod) -> ProjectionMethod:
    """The method for a map that begins at another, which has found already what exaggeration is to find."""
    return replace(method, exaggeration=1) if isinstance(method, TSNE) else method


def _fitted(method: ProjectionMethod, count: int) -> tuple[ProjectionMethod, list[str]]:
    """The method with parameters that so few classes allow, and what was changed."""
    if isinstance(method, PCA):
        return method, []
    if count < FEWEST:
        return PCA(), [f"{count} classes are too few for {method.title}: PCA draws them."]
    if isinstance(method, UMAP) and method.neighbours > count:
        return replace(method, neighbours=count), [f"UMAP takes {count} neighbours, as there are no more classes."]
    if isinstance(method, TSNE) and method.perplexity > TSNE.largest_perplexity(count):
        most = TSNE.largest_perplexity(count)
        return replace(method, perplexity=most), [f"t-SNE has a perplexity of {most}, as there are {count} classes."]
    return method, []
