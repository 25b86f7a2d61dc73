"""How long a rerun with everything cached takes on the real server, for one visitor and for a class of thirty.

    python -m benchmarks.reruns [--query "model=NAME&images=NAME"] [-- --models FOLDER --images FOLDER]
    python -m benchmarks.reruns --before OTHER/app.py --pages app saliency        # two checkouts, in turns

Starts `streamlit run app.py`, opens websocket sessions as browsers do, waits until the page shows its result, and
measures from sending a rerun to the message that its script has finished. The clients run in one process on the same
machine, so that their share of the processor counts against the server. Beside the time on the clock stands the
server's own processor time for each rerun, which other work on the machine hardly changes (read from /proc, on Linux).
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.websocket import Tab

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90
# Of one server so many reruns come together, and the two take so many turns.
EACH_TURN, TURNS = 5, 30


@dataclass(frozen=True)
class Reruns:
    """The seconds that reruns took, and the server's processor time for all of them."""

    clients: str
    taken: list[float]
    processor: float

    def row(self, page: str) -> str:
        """A row of the table, in milliseconds."""
        median, late = np.percentile(self.taken, [50, 95]) * 1000
        each = 1000 * self.processor / len(self.taken)
        return f"| {page} | {self.clients} | {len(self.taken)} | {median:.0f} | {late:.0f} | {each:.0f} |"


async def measure(server: Server, page: str, query: str, *, clients: int, seconds: int, every: float) -> list[Reruns]:
    """Reruns of a page: of one tab alone, of many at random moments, of all at one instant."""
    port = server.port
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Tab(port, page, query))
        await first.settle()
        spent = [server.processor()]
        alone = [await _after(random.random() * 0.2, first) for _ in range(60)]
        spent.append(server.processor())
        others = [await stack.enter_async_context(Tab(port, page, query)) for _ in range(clients - 1)]
        for tab in others:
            await tab.settle()
        tabs = [first, *others]
        spent.append(server.processor())
        spread = await asyncio.gather(*(_now_and_then(tab, seconds, every) for tab in tabs))
        spent.append(server.processor())
        together: list[float] = []
        for _ in range(10):
            together += await asyncio.gather(*(tab.rerun() for tab in tabs))
            await asyncio.sleep(0.5)
        spent.append(server.processor())
    return [
        Reruns("one", alone, spent[1] - spent[0]),
        Reruns(f"{clients}, each every {every:g} s", [one for tab in spread for one in tab], spent[3] - spent[2]),
        Reruns(f"{clients} at the same instant", together, spent[4] - spent[3]),
    ]


async def against(servers: Sequence[Server], page: str, query: str) -> list[Reruns]:
    """Reruns of one tab on each of two servers in turns, so that what else the machine does counts for both."""
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(Tab(server.port, page, query)) for server in servers]
        for tab in tabs:
            await tab.settle()
        taken: list[list[float]] = [[], []]
        spent = [0.0, 0.0]
        for _ in range(TURNS):
            for place in (0, 1):
                before = servers[place].processor()
                taken[place] += [await tabs[place].rerun() for _ in range(EACH_TURN)]
                spent[place] += servers[place].processor() - before
    return [Reruns(name, times, cpu) for name, times, cpu in zip(("before", "now"), taken, spent, strict=True)]


async def _after(delay: float, tab: Tab) -> float:
    await asyncio.sleep(delay)
    return await tab.rerun()


async def _now_and_then(tab: Tab, seconds: int, every: float) -> list[float]:
    start = time.perf_counter()
    taken = []
    for turn in range(round(seconds / every)):
        moment = start + every * (turn + random.random())
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        taken.append(await tab.rerun())
    return taken


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen

    def processor(self) -> float:
        """The processor time, in seconds, that the server has taken so far; nan where there is no /proc."""
        status = Path(f"/proc/{self.process.pid}/stat")
        if not status.exists():
            return math.nan
        user, system = status.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serve(app: Path, arguments: list[str]) -> Iterator[Server]:
    """The app on a free port, with an empty store of its own where LOUPE_CACHE names none.

    Raises `RuntimeError` with what the server said where it does not start.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port)]
    command += ["--server.headless", "true", "--", *arguments]
    with tempfile.TemporaryDirectory() as store, tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, cwd=app.parent, env={"LOUPE_CACHE": store, **os.environ}, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            if not _healthy(port, process):
                said.seek(0)
                raise RuntimeError(f"The server did not start:\n{said.read()}")
            yield Server(port, process)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _healthy(port: int, process: subprocess.Popen) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def main() -> None:
    """Measure and print a Markdown table, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="the app.py of another checkout: compare, with one tab on each")
    parser.add_argument("--app", type=Path, default=ROOT / "app.py")
    parser.add_argument("--pages", nargs="+", default=["app", "saliency"], help="'app' is the first page")
    parser.add_argument("--query", default="", help="what the address says, such as model=NAME&images=NAME")
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between one client's reruns")
    parser.add_argument("arguments", nargs="*", help="after --: passed on to the app")
    given = parser.parse_args()
    print("| page | clients | reruns | median, ms | 95th percentile, ms | server's processor time each, ms |")
    print("|---|---|---|---|---|---|")
    with ExitStack() as stack:
        server = stack.enter_context(serve(given.app.resolve(), given.arguments))
        other = given.before and stack.enter_context(serve(given.before.resolve(), given.arguments))
        for page in given.pages:
            name = "" if page == "app" else page
            if other:
                for reruns in asyncio.run(against((other, server), name, given.query)):
                    print(reruns.row(page), flush=True)
                continue
            work = measure(server, name, given.query, clients=given.clients, seconds=given.seconds, every=given.every)
            for reruns in asyncio.run(work):
                print(reruns.row(page), flush=True)


if __name__ == "__main__":
    main()
