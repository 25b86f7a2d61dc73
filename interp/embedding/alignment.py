"""Maps laid on one another: a map means the same turned, mirrored, shifted or scaled, so that is taken out first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from interp.embedding.checks import usable


@dataclass(frozen=True, eq=False)
class Alignment:
    """One map laid on another: `points` = `scale` · (map − its centre) · `rotation` + `shift`.

    `rotation` is orthogonal and may mirror. `spread` is the other map's, its root mean square distance from its
    centre; `distances` says how far each point lies from its partner in units of it, and `residual` is their root
    mean square, 0 for the same map and about √2 for unrelated ones.
    """

    points: Float[np.ndarray, "n m"]
    rotation: Float[np.ndarray, "m m"]
    scale: float
    shift: Float[np.ndarray, " m"]
    spread: float
    distances: Float[np.ndarray, " n"]

    @property
    def residual(self) -> float:
        """How far the two maps differ as a whole."""
        return float(np.sqrt(np.mean(self.distances**2)))


def align(points: Float[np.ndarray, "n m"], onto: Float[np.ndarray, "p a"]) -> Alignment:
    """Lay a map on another of the same images, by the rotation or reflection that brings partners closest.

    Orthogonal Procrustes (Schönemann 1966). Both get the same centre and the same spread: the scale that would fit
    best in the mean of squares shrinks a map that has little in common with the other, as if that were agreement. A
    map whose points all coincide stays a spot. Raises `ValueError` for maps of different shape, or not finite.
    """
    moved, fixed = (usable(one).astype(np.float64) for one in (points, onto))
    if moved.shape != fixed.shape:
        raise ValueError(
            f"A map of shape {moved.shape} cannot be laid on one of shape {fixed.shape}: take maps of the same images "
            "in as many dimensions."
        )
    shift, spread, extent = fixed.mean(axis=0), _spread(fixed), _spread(moved)
    centred = moved - moved.mean(axis=0)
    left, _, right = np.linalg.svd(centred.T @ (fixed - shift))
    rotation = left @ right
    scale = spread / extent if extent > 0 else 1.0
    laid = scale * centred @ rotation + shift
    distances = np.linalg.norm(laid - fixed, axis=1) / (spread if spread > 0 else 1.0)
    return Alignment(laid, rotation, scale, shift, spread, distances)


def laid(points: Float[np.ndarray, "n m"], onto: Float[np.ndarray, "p a"], count: int) -> Float[np.ndarray, "n m"]:
    """A map laid on another by its first `count` points, which are of the same images; further ones move with them.

    Raises `ValueError` as `align` does.
    """
    found = align(points[:count], onto[:count])
    return found.scale * (points - points[:count].mean(axis=0)) @ found.rotation + found.shift


def aligned(maps: Sequence[Float[np.ndarray, "n m"]]) -> tuple[Float[np.ndarray, "n m"], ...]:
    """Each map laid on the one before it, as it was laid itself; the first stays. For a film over layers or seeds.

    Raises `ValueError` as `align` does, and for no map at all.
    """
    if not maps:
        raise ValueError("No maps were given: there is nothing to align.")
    film = [maps[0]]
    for one in maps[1:]:
        film.append(align(one, film[-1]).points)
    return tuple(film)


def wobble(maps: Sequence[Float[np.ndarray, "n m"]]) -> Float[np.ndarray, " n"]:
    """How far each image strays between maps that differ in their seed only, in units of the first map's spread.

    The maps are laid on the first; then √(mean over the maps of |y − ȳ|²), the standard deviation of the image's
    place. 0 for maps that agree; about 1 for maps that have nothing in common. Raises `ValueError` as `align` does,
    and for fewer than two maps.
    """
    if len(maps) < 2:
        raise ValueError(f"{len(maps)} map does not wobble: give the maps of at least two seeds.")
    alignments = [align(one, maps[0]) for one in maps]
    places = np.stack([one.points for one in alignments])
    strayed = np.sqrt(((places - places.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0))
    return strayed / (alignments[0].spread or 1.0)


def _spread(points: Float[np.ndarray, "n m"]) -> float:
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))
