"""What a map costs and how well it keeps neighbours: ours beside scikit-learn's t-SNE, openTSNE's and umap-learn's.

    python -m benchmarks.embedding [--points 1000 5000 20000] [--rounds 1] [--skip openTSNE]
    python -m benchmarks.embedding --points 6000 20000 100000 --width 320 --metric cosine --skip t-SNE PCA

Features are made up: 512 values, rectified, of 40 classes in 8 groups, each class a bent sheet of 8 dimensions with
noise on top. Everything runs on one thread in one process, the methods in turn, and is measured in processor time, so
that other work on the machine disturbs little. What is imported and compiled once in a process is done before.
Trustworthiness at 10 neighbours is measured in the same way for all. Ours includes neither frames nor quality; that is
a row of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable

# Read when they are first imported. Numba would set OpenMP to all processors for scikit-learn and PyTorch too, whose
# waiting threads then count as processor time.
os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402

from interp import embedding  # noqa: E402
from interp.embedding.approximate import EXACT_UP_TO, nearly_nearest  # noqa: E402
from interp.embedding.method import ProjectionMethod  # noqa: E402
from interp.embedding.neighbours import Metric  # noqa: E402
from interp.embedding.quality import quality  # noqa: E402

REFERENCE = "t-SNE, scikit-learn"
"""What times are divided by; without it, by the first method that is measured."""


def features(points: int, width: int = 512, seed: int = 0) -> np.ndarray:
    """Rectified features of so many made-up images."""
    random = np.random.default_rng(seed)
    groups = random.normal(size=(8, width))
    classes = np.repeat(groups, 5, axis=0) + 0.7 * random.normal(size=(40, width))
    sheets = random.normal(size=(40, 8, width)) / np.sqrt(8)
    which = random.integers(40, size=points)
    made = classes[which] + 0.5 * random.normal(size=(points, width))
    for one in range(40):
        mine = np.flatnonzero(which == one)
        made[mine] += 0.8 * random.normal(size=(len(mine), 8)) @ sheets[one]
    return np.maximum(made, 0).astype(np.float32)


def ours(given: np.ndarray, method: ProjectionMethod) -> np.ndarray:
    """The map, with the search for neighbours, without quality."""
    found = None if method.search() is None else embedding.searched(given, [method])
    points = np.zeros(0)
    for frame in method.arrange(given, found):
        points = frame.points
    return points


def candidates(
    given: np.ndarray, skipped: list[str], metric: Metric = "euclidean"
) -> dict[str, Callable[[], np.ndarray]]:
    """Everything that is measured, by name."""
    import openTSNE
    import umap
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(given)
    solver = "covariance_eigh" if count > given.shape[1] else "full"
    found: dict[str, Callable[[], np.ndarray]] = {
        "t-SNE, scikit-learn": lambda: TSNE(init="pca", random_state=0, n_jobs=1).fit_transform(given),
        "t-SNE, ours": lambda: ours(given, embedding.TSNE()),
        "t-SNE, ours, after PCA to 50": lambda: ours(given, embedding.TSNE(reduction=50)),
        "t-SNE, openTSNE": lambda: np.asarray(openTSNE.TSNE(n_jobs=1, random_state=0).fit(given)),
        "UMAP, umap-learn": lambda: np.asarray(umap.UMAP(random_state=0, n_jobs=1, metric=metric).fit_transform(given)),
        "UMAP, ours": lambda: ours(given, embedding.UMAP(metric=metric)),
        "PCA, scikit-learn, 50 axes": lambda: PCA(50, svd_solver=solver).fit_transform(given)[:, :2],
        "PCA, ours, 50 axes": lambda: ours(given, embedding.PCA()),
    }
    return {name: work for name, work in found.items() if not any(part in name for part in skipped)}


def check_threads() -> None:
    """Raise `RuntimeError` where anything would take more than one thread: the times would mean nothing."""
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
    from threadpoolctl import threadpool_info

    counts = [pool["num_threads"] for pool in threadpool_info()]
    if max([torch.get_num_threads(), _openmp_effective_n_threads(), *counts]) > 1:
        raise RuntimeError(f"More than one thread is in use: {threadpool_info()}")


def measure(count: int, rounds: int, skipped: list[str], width: int, metric: Metric) -> list[str]:
    """The rows of the table for one number of points."""
    given = features(count, width)
    works = candidates(given, skipped, metric)
    took: dict[str, list[float]] = {name: [] for name in (*works, "quality")}
    measured = {}
    for _ in range(rounds):
        for name, work in works.items():
            check_threads()
            start = time.process_time()
            points = work()
            check_threads()
            took[name].append(time.process_time() - start)
            start = time.process_time()
            measured[name] = quality(given, points.astype(np.float32), metric=metric)
            took["quality"].append(time.process_time() - start)
            print(f"  {count} {name}: {took[name][-1]:.1f} s", flush=True)
    reference = statistics.median(took.get(REFERENCE, next(iter(took.values()))))
    rows = []
    for name in works:
        seconds, found = statistics.median(took[name]), measured[name]
        rows.append(
            f"| {count:,} | {name} | {seconds:.2f} | {seconds / reference:.2f} | {found.trustworthiness:.4f} "
            f"| {found.continuity:.4f} | {found.preservation:.3f} |"
        )
    seconds = statistics.median(took["quality"])
    rows.append(f"| {count:,} | quality of one map | {seconds:.2f} | {seconds / reference:.2f} | – | – | – |")
    return rows


def main() -> None:
    """Measure and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--points", type=int, nargs="+", default=[1000, 5000, 20000])
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--width", type=int, default=512, help="how many features an image has")
    arguments.add_argument("--metric", choices=["euclidean", "cosine"], default="euclidean", help="for UMAP")
    arguments.add_argument("--skip", nargs="*", default=[], help="leave out what has this in its name")
    chosen = arguments.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", module="umap|sklearn")
    # Compiled before the clock runs, umap-learn's own for both of the ways it takes.
    for count in (300, 4200):
        for name, work in candidates(features(count, 64), [*chosen.skip, REFERENCE], chosen.metric).items():
            if count == 300 or name == "UMAP, umap-learn":
                work()
    # What is compiled for many images only.
    nearly_nearest(features(EXACT_UP_TO + 100, 8), 14)
    reference = next(iter(candidates(features(10, 4), chosen.skip)))
    rows = [
        f"| points | method | processor s | of {reference}'s | trustworthiness | continuity | preserved |",
        "|---|---|---|---|---|---|---|",
    ]
    for count in chosen.points:
        rows += measure(count, chosen.rounds, chosen.skip, chosen.width, chosen.metric)
    print("\n".join(rows))


if __name__ == "__main__":
    main()
