"""What people bring: every network of a folder of cases, loaded in a process of its own: what came out, time, memory.

python -m benchmarks.cases ../shared/cases
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What is right for a case: True where it must load, else words of the sentence that must be said.
RIGHT: dict[str, tuple[str, bool | str]] = {
    "01": ("refused, with advice that led to 02", True),
    "02": ("every image 100% sick", True),
    "05": ("softmax twice; four maps zero", True),
    "06": ("softmax over 14 findings", True),
    "07": ("refused: three channels", True),
    "09": ("refused: conv1", True),
    "10": ("unknown architecture", True),
    "11": ("loads", True),
    "12": ("loads; five CAMs zero", True),
    "14": ("loads", True),
    "15": ("loads", True),
    "19": ("refused: tuple", True),
    "20": ("refused: dict", True),
    "22": ("loads", True),
    "23": ("loads", True),
    "24": ("refused by its suffix", True),
    "25": ("refused by its suffix", True),
    "26": ("refused: criterion.weight", True),
    "27": ("refused: prefix net.", True),
    "29": ("refused: numpy scalar", True),
    "31": ("loads; EMA not mentioned", True),
    "34": ("refused: fc.1", True),
    "35": ("refused: fc.0, fc.3", True),
    "36": ("clear refusal", "3 outputs, and 4 labels"),
    "37": ("clear refusal", True),
    "38": ("loads", True),
    "39": ("'claims to unpack'", "TorchScript"),
    "40": ("clear refusal", "whole pickled network"),
    "41": ("clear refusal", "whole pickled network"),
    "42": ("'no file of weights'", "ONNX"),
    "44": ("refused by names", "fastai"),
    "45": ("loads", True),
    "46": ("loads; gradients raise", "Write y = y [+] x"),
    "47": ("loads", True),
    "48": ("loads; not a word", True),
    "49": ("loads", True),
    "51": ("no module 'blocks'", True),
    "52": ("'give 3 labels'", True),
    "53": ("accepted, labels wrong", True),
    "54": ("loads", True),
    "56": ("refused: view", True),
    "57": ("loads", True),
    "58": ("loads; gradients raise", "Write y = y [+] x"),
    "59": ("loads; DeepLIFT, LRP refuse", True),
    "60": ("labels '0,bee'", True),
    "62": ("loads", True),
    "64": ("loads; five CAMs zero", True),
    "65": ("clear refusal", "not finite"),
    "66": ("accepted, blind", "divided by 255"),
    "67": ("invalid statement", True),
    "92": ("loads", True),
    "94": ("loads", True),
    "96": ("not listed, not said", True),
    # The folder holds the description alone.
    "98": ("loads, with its weights", "no file of weights at"),
    "99": ("116 of 200 right", True),
}
# Files of a case that are wrong on purpose, and what must be said of them.
WRONG = {"cats": "single quotes", "list": "num_classes"}


def main(folder: Path) -> None:
    """Print a table of all cases in the folder; works on a copy, to which large weights are added."""
    with tempfile.TemporaryDirectory() as scratch:
        # The cases name files beside their own folder.
        copy = Path(scratch) / "cases"
        shutil.copytree(folder, copy, copy_function=shutil.copyfile)
        for beside in folder.parent.iterdir():
            if beside != folder:
                (Path(scratch) / beside.name).symlink_to(beside.resolve())
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        subprocess.run([sys.executable, "make_weights.py"], cwd=copy, check=True, capture_output=True)
        idle = _measured("idle", None)["mb"]
        print("| case | before | now | as it should be | s | MB above idle |\n|---|---|---|---|---|---|")
        for case in sorted(copy.iterdir()):
            number = case.name.partition("-")[0]
            if number not in RIGHT:
                continue
            before, right = RIGHT[number]
            for toml in sorted(case.rglob("*.toml")):
                found = _measured(toml.relative_to(case).as_posix(), case)
                wanted = WRONG.get(toml.stem, right)
                said = "loads" if found["loaded"] else f"'{found['said'][:160]}'"
                good = found["loaded"] if wanted is True else bool(re.search(str(wanted), found["said"]))
                print(
                    f"| {case.name} | {before} | {said} {found['noted']} | {'yes' if good else '**no**'} "
                    f"| {found['seconds']:.1f} | {found['mb'] - idle:.0f} |",
                    flush=True,
                )


def _measured(name: str, folder: Path | None) -> dict:
    given = [sys.executable, "-m", "benchmarks.cases", "--one", name, *([str(folder)] if folder else [])]
    return json.loads(subprocess.run(given, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def _one(name: str, folder: str | None) -> None:
    from interp import models

    began = time.perf_counter()
    loaded, said, noted = True, "", ""
    if folder is not None:
        try:
            found = models.load(name, folder=folder, device="cpu")
            kinds = [one.text for one in found.findings if one.kind in ("left out", "warning")]
            outputs = {"softmax": ""}.get(found.outputs, f", {found.outputs}")
            grey = ", grey" if found.channels == 1 else ""
            noted = f"({len(found.labels)} classes{outputs}{grey}; layer {found.default_layer})"
            noted += "".join(f"; *{text[:90]}*" for text in kinds)
        except (ValueError, OSError) as error:
            loaded, said = False, " ".join(str(error).replace(str(folder), "").split()).lstrip("/")
    spent = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"loaded": loaded, "said": said, "noted": noted, "seconds": spent, "mb": memory}))


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        _one(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    else:
        main(Path(sys.argv[1]).resolve())
