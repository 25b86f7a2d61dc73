"""timm's architectures, small and with random weights: all methods on each, those that refuse, and why.

python -m benchmarks.architectures
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch

from benchmarks.small_networks import ARCHITECTURES, CHEAP, loaded
from interp import attribution
from interp.attribution import METHODS, obstacles
from interp.types import Images


def main() -> None:
    """Print a row for each architecture; a method that raises anything but a refusal ends the run."""
    print("| architecture | default layer | methods that run | refused | s |\n|---|---|---|---|---|")
    for name in ARCHITECTURES:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            classifier = loaded(Path(folder), name)
        refused = dict(obstacles(classifier))
        height, width = classifier.input_size
        pixels = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(2))
        methods = [kind(**CHEAP.get(title, {})) for title, kind in METHODS.items() if title not in refused]
        found = list(attribution.compare(classifier, Images(pixels, ("noise",)), 0, methods))
        odd = [method.title for method, maps in found if not bool(maps.values.isfinite().all())]
        said = "; ".join(f"{title}: {reason[:110]}" for title, reason in refused.items())
        said += f"; not finite: {', '.join(odd)}" if odd else ""
        layer = classifier.last_spatial_layer
        print(
            f"| {name} | {layer.name} ({layer.kind}, {layer.height} × {layer.width}) | {len(found) - len(odd)} of "
            f"{len(METHODS)} | {said} | {time.perf_counter() - began:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
