"""Features to arrange: clusters with a shape of their own, and noise."""

import numpy as np


def clusters(images: int = 150, features: int = 20, kinds: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(images) % kinds
    centres = 4 * random.normal(size=(kinds, features))
    return (centres[labels] + random.normal(size=(images, features))).astype(np.float32), labels


def squared(points: np.ndarray) -> np.ndarray:
    apart = points[:, None].astype(np.float64) - points[None].astype(np.float64)
    return (apart**2).sum(axis=2)
