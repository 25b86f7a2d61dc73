"""A class of thirty on five pages, each looking at another picture or view at every rerun, everything cached.

    python -m benchmarks.classroom --query "model=NAME" [-- --models FOLDER --images FOLDER]
    python -m benchmarks.classroom --before OTHER/app.py --cpu ...   # two checkouts, in turns, one tab on each page
    python -m benchmarks.classroom --waiting 15 ...                  # tabs that wait for long work, and their polls
    python -m benchmarks.classroom --bare            # Streamlit alone: ten controls and thirty lines of text

The tabs are spread evenly over the pages. Each shows in turn what `CHANGES` names, which were all shown once before; in
between it asks for fragments as often as the page says. Measured is from the moment at which a tab wants to change
something to the message that the script has finished. All tabs run in one process, on the machine of the server.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reruns import ROOT, Server, serve
from benchmarks.websocket import Tab

Change = tuple[str, int]
"""The key of a widget, and the number of the option to choose there."""
PICTURES = (3, 41, 87, 122)
CHANGES: dict[str, tuple[Change, ...]] = {
    "app": (("image", 3), ("overview.shown", 1), ("image", 41), ("outcome", 1), ("image", 87), ("overview.shown", 0),
            ("image", 122), ("outcome", 0)),
    "saliency": (("image", 3), ("view", 1), ("image", 41), ("large-chosen", 1), ("image", 87), ("view", 0),
                 ("image", 122), ("part", 1), ("image", 3), ("part", 0)),
    "embeddings": (("image", 3), ("map.colour", 1), ("image", 41), ("map.method", 2), ("image", 87), ("map.colour", 0),
                   ("image", 122), ("map.method", 0)),
    "shared_interest": (("interest.view", 1), ("interest.view", 0), ("interest.order", 1), ("interest.view-as", 1),
                        ("interest.view", 2), ("interest.view", 0), ("interest.order", 0), ("interest.view-as", 0)),
    "channel_attribution": (("image", 3), ("ch.view", 1), ("image", 41), ("ch.view", 0), ("image", 87), ("ch.view", 1),
                            ("image", 122), ("ch.view", 0)),
}  # fmt: skip
BARE = """
import streamlit as st

@st.fragment
def body():
    st.selectbox("Chosen", list("abcd"), key="chosen")
    for number in range(9):
        st.segmented_control(f"Control {number}", list("abc"), key=f"control-{number}")
    for number in range(30):
        st.markdown("A line of text.")

body()
"""
CHANGES_OF_BARE: tuple[Change, ...] = (("chosen", 1), ("chosen", 2), ("chosen", 3), ("chosen", 0))
TURNS = 3


@dataclass
class Person:
    """Somebody who looks at one page, and what they will do there."""

    page: str
    tab: Tab
    changes: Iterator[Change]

    async def change(self) -> float:
        """Choose something else; gives the seconds until the page shows it."""
        key, option = next(self.changes)
        return await self.tab.select(key, self.tab.options(key)[option])


def _person(server: Server, page: str, query: str, begin: int = 0) -> Person:
    changes = CHANGES.get(page, CHANGES_OF_BARE)
    begin %= len(changes)
    tab = Tab(server.port, page if page in CHANGES and page != "app" else "", query)
    return Person(page, tab, itertools.cycle(changes[begin:] + changes[:begin]))


async def warm(server: Server, pages: Sequence[str], query: str) -> None:
    """Show everything once, so that all that is measured afterwards is cached."""
    for page in pages:
        person = _person(server, page, query)
        async with person.tab:
            await person.tab.settle(patience=900)
            for _ in CHANGES[page]:
                await person.change()
                await person.tab.settle(patience=900)


async def together(
    server: Server, pages: Sequence[str], query: str, *, clients: int, seconds: int, every: float
) -> None:
    """Print how long reruns of a class take, by page and in all."""
    async with AsyncExitStack() as stack:
        people = []
        for number in range(clients):
            people.append(_person(server, pages[number % len(pages)], query, number // len(pages)))
            await stack.enter_async_context(people[-1].tab)
        await asyncio.gather(*(person.tab.settle() for person in people))
        polls, spent = sum(person.tab.polls for person in people), server.processor()
        taken = await asyncio.gather(*(_now_and_then(person, seconds, every) for person in people))
        spent = server.processor() - spent
        polls = sum(person.tab.polls for person in people) - polls
    who = f"{clients}, every {every:g} s"
    for page in pages:
        of_page = [some for person, some in zip(people, taken, strict=True) if person.page == page]
        print(_row(page, who, [one for some in of_page for one in some]), flush=True)
    print(_row("**all**", who, [one for some in taken for one in some], spent, polls), flush=True)


async def _now_and_then(person: Person, seconds: int, every: float) -> list[float]:
    start = time.perf_counter()
    taken = []
    for turn in range(round(seconds / every)):
        moment = start + every * (turn + random.random())
        await person.tab.live(moment)
        wanted = max(moment, time.perf_counter() - every)
        await person.change()
        taken.append(time.perf_counter() - wanted)
    return taken


async def apart(servers: Sequence[Server], pages: Sequence[str], query: str) -> None:
    """The processor time of each page's reruns on each server, in turns, so that what else happens counts for both."""
    for page in pages:
        async with AsyncExitStack() as stack:
            people = [_person(server, page, query) for server in servers]
            for person in people:
                await stack.enter_async_context(person.tab)
                await person.tab.settle()
            taken: list[list[float]] = [[] for _ in servers]
            spent, bytes_, messages = [0.0] * len(servers), [0] * len(servers), [0] * len(servers)
            for _ in range(TURNS):
                for place, (server, person) in enumerate(zip(servers, people, strict=True)):
                    before = server.processor()
                    for _ in CHANGES.get(page, CHANGES_OF_BARE) * 2:
                        taken[place].append(await person.change())
                        bytes_[place] += person.tab.received
                        messages[place] += person.tab.messages
                    spent[place] += server.processor() - before
            names = ("before", "now") if len(servers) > 1 else ("now",)
            for name, some, seconds, sent, count in zip(names, taken, spent, bytes_, messages, strict=True):
                row = _row(page, name, some, seconds)
                print(f"{row} {sent / len(some) / 1000:.1f} kB, {count / len(some):.0f} messages |", flush=True)


def _row(page: str, who: str, taken: list[float], spent: float = float("nan"), polls: int = 0) -> str:
    median, late = np.percentile(taken, [50, 95]) * 1000
    return f"| {page} | {who} | {len(taken)} | {median:.0f} | {late:.0f} | {1000 * spent / len(taken):.1f} | {polls} |"


async def waiting(server: Server, query: str, clients: int) -> None:
    """Tabs that ask for saliency maps of different pictures at once: the parts as they come, and how often they ask."""
    async with AsyncExitStack() as stack:
        people = [_person(server, "saliency", query) for _ in range(clients)]
        for person in people:
            await stack.enter_async_context(person.tab)
            await person.tab.rerun()
            await person.tab.settle(patience=900)
        spent, start = server.processor(), time.perf_counter()
        runs = [person.tab.polls for person in people]
        ends = await asyncio.gather(*(_until_there(person.tab, number) for number, person in enumerate(people)))
        spent, polls = server.processor() - spent, sum(person.tab.polls for person in people) - sum(runs)
        middle, last = float(np.median(ends)), max(ends)
        clock = time.perf_counter() - start
        print(f"{clients} tabs: seen after {middle:.1f} s (median), {last:.1f} s (last), {middle / last:.2f}")
        print(f"{polls} fragment runs; {spent:.1f} s of the server's processor time in {clock:.1f} s")


async def _until_there(tab: Tab, number: int) -> float:
    start = time.perf_counter()
    await tab.select("image", tab.options("image")[150 + number])
    while tab.computing:
        await tab.live(min(tab.next_poll + 0.001, time.perf_counter() + 1))
    return time.perf_counter() - start


def main() -> None:
    """Measure and print a Markdown table, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="the app.py of another checkout")
    parser.add_argument("--cpu", action="store_true", help="one tab on each page: processor time, messages and bytes")
    parser.add_argument("--waiting", type=int, default=0, help="so many tabs that wait for long work")
    parser.add_argument("--bare", action="store_true", help="a page of no content instead of ours")
    parser.add_argument("--pages", nargs="+", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--query", default="", help="what the address says, such as model=NAME&images=NAME")
    parser.add_argument("--store", type=Path, help="where results are kept; a temporary folder else")
    parser.add_argument(
        "--classes", nargs="*", default=["30:2", "30:1", "100:5"], help="visitors:seconds between reruns"
    )
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("arguments", nargs="*", help="after --: passed on to the app")
    given = parser.parse_args()
    if given.store:
        os.environ["LOUPE_CACHE"] = str(given.store.resolve())
    with ExitStack() as stack:
        if given.bare:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            # Streamlit's own settings would have all garbage collected after each rerun.
            shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
            bare = folder / "bare.py"
            bare.write_text(BARE)
            server = stack.enter_context(serve(bare, []))
            for _ in range(2):
                asyncio.run(apart([server], ["bare"], ""))
            _classes([server], ["bare"], given)
            return
        apps = [one.resolve() for one in (given.before, ROOT / "app.py") if one]
        servers = [stack.enter_context(serve(app, given.arguments)) for app in apps]
        if given.waiting:
            for app, server in zip(apps, servers, strict=True):
                print(app)
                asyncio.run(waiting(server, given.query, given.waiting))
            return
        for server in servers:
            asyncio.run(warm(server, given.pages, given.query))
        print("| page | clients | reruns | median, ms | 95th percentile, ms | processor time each, ms | polls |")
        print("|---|---|---|---|---|---|---|")
        if given.cpu:
            asyncio.run(apart(servers, given.pages, given.query))
            return
        _classes(servers, given.pages, given)


def _classes(servers: Sequence[Server], pages: Sequence[str], given: argparse.Namespace) -> None:
    for one in given.classes:
        clients, _, every = one.partition(":")
        for server, name in zip(servers, ("before", "now") if len(servers) > 1 else ("now",), strict=True):
            print(f"| *{name}* | | | | | | |")
            work = together(server, pages, given.query, clients=int(clients), seconds=given.seconds, every=float(every))
            asyncio.run(work)


if __name__ == "__main__":
    main()
