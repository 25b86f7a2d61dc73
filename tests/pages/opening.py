"""Opening a page in the test driver with choices in its address, and reading what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamlit.testing.v1 import AppTest

Run = Callable[[], AppTest]


def opening(
    app: AppTest, page: str, address: Mapping[str, str], begun: Callable[[], None] = lambda: None
) -> tuple[Callable[..., AppTest], Run]:
    """What opens a page of `pages/` with this address and further choices (`_` for `.`), and what runs it again.

    `begun` is called before each run. A run that raises fails the test.
    """

    def run() -> AppTest:
        begun()
        app.run()
        assert not app.exception, [one.value for one in app.exception]
        return app

    def open_page(**choices: str) -> AppTest:
        for key, value in {**address, **{key.replace("_", "."): value for key, value in choices.items()}}.items():
            app.query_params[key] = value
        # Not by way of the Overview, which has the whole set predicted.
        app.switch_page(f"pages/{page}.py")
        return run()

    return open_page, run


def said(app: AppTest) -> str:
    """All text of the page, and its messages."""
    return " ".join(one.value for one in [*app.markdown, *app.caption, *app.info, *app.error])
