"""How soon pages settle for thirty visitors while one uploads costly pictures and another changes files.

    python -m benchmarks.visitors_pictures [--pictures FOLDER] [--clients 30] [--rounds 4] [--seconds 45]

One server, with a copy of a folder of photographs, and as many visitors as given, to whom `--pages` are dealt out. Now
and then each chooses another photograph, whose maps have been seen before. Quiet spans alternate with others, in which
one visitor uploads a PNG of 97 kB again and again that would be 25 million columns wide, and files of the folder are
added, removed and overwritten. What is measured is the time from a choice to the end of the first run that shows its
result; with `--opens` that from the opening of a page in a new session until it has settled. The clients' share of the
processor counts against the server. On Linux the server's memory is read from /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import struct
import tempfile
import time
import zlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.reruns import ROOT, Server, serve
from benchmarks.websocket import Tab
from interp.own_code.rehearsal import resident

COLUMNS = 25_000_000
# As often as a browser asks how far a job is.
PAUSE = 0.4
FREED_SECONDS = 60


@dataclass
class Span:
    """What was measured in one span: a page with the seconds that each choice took, and what went wrong."""

    attacked: bool
    taken: list[tuple[str, float]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    uploads: int = 0
    changes: int = 0
    memory: int = 0

    def row(self, name: str, page: str = "") -> str:
        """A row of the table."""
        taken = [seconds for one, seconds in self.taken if page in ("", one)]
        median, late = np.percentile(taken, [50, 90]) if taken else (np.nan, np.nan)
        return (
            f"| {name} | {'yes' if self.attacked else 'no'} | {page or 'all'} | {len(taken)} | {median:.2f} "
            f"| {late:.2f} | {len(self.broken)} | {self.uploads} | {self.changes} | {self.memory / 1e6:,.0f} |"
        )


def bomb(columns: int = COLUMNS) -> bytes:
    """A PNG of one row with so many columns, each of four bytes, all 0."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", columns, 1, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(1 + 4 * columns), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class Visitor:
    """One who looks at a page, and chooses another photograph now and then."""

    def __init__(self, tab: Tab, page: str, reopen: tuple[int, str] | None) -> None:
        self.tab = tab
        self.page = page
        self._reopen = reopen

    async def look(self, span: Span, seconds: float, every: float) -> None:
        """Choose and wait, again and again; a choice that was begun in time is waited for."""
        end = time.monotonic() + seconds
        await asyncio.sleep(random.random() * every)
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                await self._choose()
                span.taken.append((self.page, time.monotonic() - start))
            except RuntimeError as error:
                span.broken.append(str(error))
            span.said |= set(self.tab.said)
            await asyncio.sleep(max(0.0, every * (0.5 + random.random()) - (time.monotonic() - start)))

    async def _choose(self) -> None:
        if self._reopen is not None:
            port, query = self._reopen
            async with Tab(port, "" if self.page == "app" else self.page, query) as tab:
                await tab.settle()
                self.tab.said = tab.said
            return
        shown = self.tab.widgets.get("image")
        if shown is None:
            await self.tab.rerun()
        else:
            await self.tab.select("image", random.choice(list(shown.selectbox.options)))
        while self.tab.computing:
            await asyncio.sleep(PAUSE)
            await self.tab.rerun()


async def _see_all(tab: Tab) -> None:
    shown = tab.widgets.get("image")
    for option in () if shown is None else tuple(shown.selectbox.options):
        await tab.select("image", option)
        while tab.computing:
            await asyncio.sleep(PAUSE / 4)
            await tab.rerun()


async def upload(server: Server, query: str, content: bytes, span: Span, seconds: float) -> None:
    """Open the app, upload the same content under new names until the time is over, and close it."""
    async with Tab(server.port, "saliency", query) as tab:
        await tab.rerun()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await tab.upload("uploads", f"wide{span.uploads}.png", content)
            span.uploads += 1
            await asyncio.sleep(PAUSE)


async def change(folder: Path, originals: Sequence[Path], span: Span, seconds: float, every: float) -> None:
    """Add, remove or overwrite one file after the other, and put the folder back at the end."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        there = sorted(folder.iterdir())
        kind = ("add", "remove", "overwrite")[span.changes % 3]
        if kind == "remove":
            random.choice(there).unlink()
        else:
            to = folder / f"added{span.changes}.jpg" if kind == "add" else random.choice(there)
            shutil.copyfile(random.choice(originals), to)
        span.changes += 1
        await asyncio.sleep(every)
    _restore(folder, originals)


def _restore(folder: Path, originals: Sequence[Path]) -> None:
    names = {path.name for path in originals}
    for path in list(folder.iterdir()):
        if path.name not in names:
            path.unlink()
    for path in originals:
        shutil.copy2(path, folder / path.name)


async def watch(server: Server, span: Span) -> None:
    """Note the most memory that the server holds, until this is cancelled."""
    while True:
        span.memory = max(span.memory, resident(server.process.pid))
        await asyncio.sleep(0.1)


async def measure(server: Server, folder: Path, originals: Sequence[Path], given: argparse.Namespace) -> list[Span]:
    """All spans, after one that is not counted; prints a row for each, and the memory at the end."""
    content = bomb()
    print(f"The PNG has {len(content):,} bytes.\n")
    pages = ["" if page == "app" else page for page in given.pages]
    query = f"images={folder.name}&model={given.model}"
    async with AsyncExitStack() as stack:
        visitors = []
        for number in range(given.clients):
            page = pages[number % len(pages)]
            tab = await stack.enter_async_context(Tab(server.port, page, query))
            await tab.settle()
            visitors.append(Visitor(tab, page or "app", (server.port, query) if given.opens else None))
        # What is measured is how soon a page answers, and not how long the maps of thirty photographs at once take.
        for page in dict.fromkeys(visitor.page for visitor in visitors):
            await _see_all(next(visitor.tab for visitor in visitors if visitor.page == page))
        await asyncio.gather(*(one.look(Span(False), given.seconds / 2, given.every) for one in visitors))
        before = resident(server.process.pid)
        print(
            "| span | attacked | page | choices | median, s | 90%, s | failures | uploads | changes | most memory, MB |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        spans: list[Span] = []
        for turn in range(given.rounds):
            # By turns first and second: the machine's other work is to fall on both alike.
            for attacked in (False, True) if turn % 2 == 0 else (True, False):
                span = Span(attacked)
                await _span(server, folder, originals, given, visitors, content, query, span)
                spans.append(span)
                print(span.row(str(turn + 1)), flush=True)
        await asyncio.sleep(FREED_SECONDS)
        after = resident(server.process.pid)
        print(f"\nMemory before: {before / 1e6:,.0f} MB; {FREED_SECONDS} s after the end: {after / 1e6:,.0f} MB.")
    return spans


async def _span(
    server: Server, folder: Path, originals: Sequence[Path], given: argparse.Namespace, visitors: Sequence[Visitor],
    content: bytes, query: str, span: Span,
) -> None:  # fmt: skip
    watching = asyncio.create_task(watch(server, span))
    looking = [one.look(span, given.seconds, given.every) for one in visitors]
    if span.attacked:
        if "upload" in given.attacks:
            looking.append(upload(server, query, content, span, given.seconds))
        if "change" in given.attacks:
            looking.append(change(folder, originals, span, given.seconds, given.change_every))
    await asyncio.gather(*looking)
    watching.cancel()


def main() -> None:
    """Measure and print a Markdown table, in seconds, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", type=Path, default=ROOT / "app.py")
    parser.add_argument("--pictures", type=Path, default=ROOT.parent / "shared" / "imagenet" / "images")
    parser.add_argument("--photographs", type=int, default=40, help="so many of the folder")
    parser.add_argument("--pages", nargs="+", default=["saliency", "app"], help="'app': the first")
    parser.add_argument("--model", default="scenes-honest")
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=45)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between one client's choices")
    parser.add_argument("--change-every", type=float, default=5.0, help="seconds between two changes of the folder")
    parser.add_argument("--opens", action="store_true", help="open the page in a new session, in place of each choice")
    parser.add_argument("--attacks", nargs="+", choices=["upload", "change"], default=["upload", "change"])
    given = parser.parse_args()
    originals = sorted(path for path in given.pictures.iterdir() if path.is_file())[: given.photographs]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "changing")
        folder.mkdir()
        _restore(folder, originals)
        with serve(given.app.resolve(), ["--images", place]) as server:
            spans = asyncio.run(measure(server, folder, originals, given))
    _summary(spans)


def _summary(spans: Sequence[Span]) -> None:
    whole = {attacked: Span(attacked) for attacked in (False, True)}
    for span in spans:
        one = whole[span.attacked]
        one.taken += span.taken
        one.broken += span.broken
        one.said |= span.said
        one.uploads, one.changes = one.uploads + span.uploads, one.changes + span.changes
        one.memory = max(one.memory, span.memory)
    print("\n" + "\n".join(one.row("all", page) for page in ["", *sorted({page for page, _ in whole[True].taken})]
                           for one in whole.values()))  # fmt: skip
    ratios = [
        np.percentile([seconds for _, seconds in whole[True].taken], percent)
        / np.percentile([seconds for _, seconds in whole[False].taken], percent)
        for percent in (50, 90)
    ]
    print(f"\nAttacked, as a multiple of quiet: median {ratios[0]:.2f}, 90% {ratios[1]:.2f}.")
    for text in sorted(set(whole[True].broken + whole[False].broken)):
        print(f"failed: {text}")
    for text in sorted(whole[True].said | whole[False].said):
        print(f"said as an error: {text}")


if __name__ == "__main__":
    main()
