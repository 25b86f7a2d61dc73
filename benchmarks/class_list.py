"""How much of the processor a rerun of the view 'Classes' takes with 1,000 classes: map, list, search, tree.

    python -m benchmarks.class_list [--classes 1000]

Classes, their counts and their predictions are made up: 9 layers of 128 to 1,024 channels, of which some tens stand out
in each image. The view is drawn by Streamlit's test driver, without a browser, with the maps by PCA, which are made
before. A rerun chooses another class, or another text to search for; with and without the tree, in one process.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from streamlit.testing.v1 import AppTest

from interp.class_summary import ClassSummary, embed_classes, similarity
from interp.embedding import PCA
from interp.models.predictions import Predictions
from interp.set_pass import returned

WIDTHS = (128, 192, 256, 480, 512, 512, 512, 832, 1024)
EACH = 50
TURNS = 20


def made_up(count: int) -> tuple[ClassSummary, Predictions]:
    """A summary of so many classes, and predictions of their images, of which some are wrong."""
    rng = np.random.default_rng(0)
    layers = tuple(f"layer{number}" for number in range(len(WIDTHS)))
    counts = {
        layer: rng.binomial(EACH, rng.beta(0.05, 1, (count, width)))
        for layer, width in zip(layers, WIDTHS, strict=True)
    }
    names = tuple(f"class {number} of things" for number in range(count))
    summary = ClassSummary("made up", names, layers, 0.03, np.full(count, EACH), counts, {}, {})
    labels = np.repeat(np.arange(count), EACH).astype(np.int32)
    predicted = np.where(rng.random(len(labels)) < 0.7, labels, rng.integers(0, count, len(labels))).astype(np.int32)
    share = rng.random(len(labels)).astype(np.float32)
    return summary, Predictions(np.arange(len(labels)), predicted[:, None], share[:, None], labels, share)


def page() -> None:
    """What the view draws of a summary, as a script of Streamlit's."""
    import streamlit as st

    import cache
    from benchmarks import class_list as own
    from pages.parts.class_summary import asking, class_list, classes, tree
    from pages.parts.kit import charts, controls, waiting

    summary, predictions, found, alike = own.DATA
    number = asking.choose_class(summary)
    assert number is not None
    wanted = controls.text("Search", "cs.search", placeholder="all classes")
    figure = cache.figure(classes._figure, found, summary.labels, number, summary.layers[-1])
    charts.draw(figure, key=classes.KEY, on_select="rerun")
    rows = class_list.ClassRows.of(summary, alike, predictions, number, summary.layers[-1])
    class_list.draw(rows, alike, st.session_state.get("order", "Alike"), wanted, None)
    if own.WITH_TREE:
        waiting.PATIENCE = 60.0
        tree.section(cache.Scope(waiting.visitor(), "classes"), summary, alike, number, summary.layers[-1])
    class_list.recognized(summary, predictions, number)


DATA: tuple = ()
WITH_TREE = False


def main() -> None:
    """Measure and print a Markdown table, in milliseconds."""
    global DATA
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=1000)
    count = parser.parse_args().classes
    summary, predictions = made_up(count)
    begun = time.process_time()
    alike = similarity(summary.counts)
    first = time.process_time() - begun
    DATA = (summary, predictions, returned(embed_classes(summary.counts, summary.images, PCA())), alike)
    # The script imports this module by its name, and not as the one that runs.
    from benchmarks import class_list as own

    own.DATA = DATA
    begun = time.process_time()
    alike.hierarchy(summary.layers[-1])
    tree = time.process_time() - begun
    app = AppTest.from_function(page, default_timeout=120).run()
    assert not app.exception, app.exception
    print("| what | processor, ms | with the tree |\n|---|---|---|")
    print(f"| cosines of all classes in {len(WIDTHS)} layers, once | {1000 * first:.0f} | |")
    print(f"| the hierarchy of all classes in one layer, once | | {1000 * tree:.0f} |")

    def taken(what: str, choose) -> None:
        found = []
        for own.WITH_TREE in (False, True):
            app.run()
            begun = time.process_time()
            for turn in range(TURNS):
                choose(turn + TURNS * own.WITH_TREE)
                app.run()
                assert not app.exception
            found.append(f"{1000 * (time.process_time() - begun) / TURNS:.0f}")
        print(f"| {what} | {' | '.join(found)} |")

    taken("a rerun with nothing new", lambda turn: None)
    taken("another class", lambda turn: app.selectbox(key="cs.class").set_value(str(turn + 1)))
    taken("another search", lambda turn: app.text_input(key="cs.search").set_value(f"{turn + 1}"))
    shown = app.dataframe[0].value["class"]
    assert 0 < len(shown) < count and all(str(2 * TURNS) in name for name in shown)


if __name__ == "__main__":
    main()
