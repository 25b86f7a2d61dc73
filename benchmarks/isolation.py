"""How soon pages settle for thirty visitors while one loads a network that loops, and without that one.

    python -m benchmarks.isolation [--clients 30] [--rounds 3] [--page saliency]

Each round starts two servers with empty stores, one after the other: on one of them a visitor first asks for a
classifier of own code that never ends building. Then all others open the page at one instant, with the bundled
classifiers dealt out among them, none of which has been loaded yet. What is measured is the time from opening to the
end of the first run that shows a result; the clients' share of the processor counts against the server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np

from benchmarks.reruns import ROOT, Server, serve
from benchmarks.websocket import Tab
from interp.models.scenes import bundled

LOOPS = """
def build():
    while True:
        pass
"""
TOML = 'architecture = "net.py:build"\nweights = "random"\nlabels = ["bee", "moth"]\ninput_size = 32\n'
# Longer than a round takes, so that it loops to the end.
SECONDS = 600
PAUSE = 0.1


async def measure(server: Server, page: str, query: str, *, clients: int, looping: bool) -> list[float]:
    """The seconds in which each client's page shows its result."""
    classifiers = list(bundled.TITLES)
    async with AsyncExitStack() as stack:
        if looping:
            slow = await stack.enter_async_context(Tab(server.port, page, "model=loops"))
            # A first run draws the sidebar, and asks for the classifier; the session stays open.
            while not slow.computing:
                await slow.rerun()
                await asyncio.sleep(PAUSE)
        addresses = [f"{query}&model={classifiers[turn % len(classifiers)]}" for turn in range(clients)]
        tabs = [await stack.enter_async_context(Tab(server.port, page, address)) for address in addresses]
        return list(await asyncio.gather(*map(_until_settled, tabs)))


async def _until_settled(tab: Tab) -> float:
    start = time.perf_counter()
    await tab.rerun()
    while tab.computing:
        await asyncio.sleep(PAUSE)
        await tab.rerun()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print a Markdown table, in seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", type=Path, default=ROOT / "app.py")
    parser.add_argument("--page", default="saliency", help="'app' is the first page")
    parser.add_argument("--query", default="images=scenes", help="what the address says besides the model")
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.environ["LOUPE_OWN_SECONDS"] = str(SECONDS)
    taken: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "net.py").write_text(LOOPS)
        Path(folder, "loops.toml").write_text(TOML)
        page = "" if given.page == "app" else given.page
        print("| round | one loads a looping network | clients | median, s | 95th percentile, s | last, s |")
        print("|---|---|---|---|---|---|")
        for turn in range(given.rounds):
            # By turns first and second: the machine's other work is to fall on both alike.
            for looping in (False, True) if turn % 2 == 0 else (True, False):
                with serve(given.app.resolve(), ["--models", folder]) as server:
                    found = asyncio.run(measure(server, page, given.query, clients=given.clients, looping=looping))
                taken[looping] += found
                print(_row(str(turn + 1), looping, found), flush=True)
        for looping, found in taken.items():
            print(_row("all", looping, found))
        ratio = np.median(taken[True]) / np.median(taken[False])
        print(f"\nMedian with the looping network, as a multiple of that without: {ratio:.2f}.")


def _row(turn: str, looping: bool, taken: list[float]) -> str:
    median, late = np.percentile(taken, [50, 95])
    said = "yes" if looping else "no"
    return f"| {turn} | {said} | {len(taken)} | {median:.2f} | {late:.2f} | {max(taken):.2f} |"


if __name__ == "__main__":
    main()
