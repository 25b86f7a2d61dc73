"""Imports go one way through the house, none goes in a circle, and the library knows nothing of Streamlit."""

import ast
import functools
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Each may import those before it, and none after it.
ORDER = [
    "interp.types",
    "interp.progress",
    "interp.settings",
    "interp.least_recent",
    "interp.text_files",
    "interp.batches",
    "interp.cores",
    "interp.label_notation",
    "interp.label_files",
    "interp.images",
    "interp.own_code",
    "interp.set_pass",
    "interp.models",
    "interp.passes",
    "interp.embedding",
    "interp.feature_visualization",
    "interp.channels",
    "interp.attribution",
    "interp.units",
    "interp.class_summary",
    "interp.atlas",
    "interp.evaluation",
    "interp.shared_interest",
    "interp.figures",
    "cache",
    "precompute",
    "pages",
    "app",
]


def place(module: str) -> int | None:
    return next((at for at, name in enumerate(ORDER) if module == name or module.startswith(name + ".")), None)


@functools.cache
def statements(path: Path) -> list[tuple[str, str]]:
    """The modules that a file imports, each with the name that is taken from it, or with none."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    whole = [(alias.name, "") for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [(node.module, node.names) for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return whole + [(module, alias.name) for module, names in parts for alias in names]


def imported(path: Path) -> set[str]:
    return {one for module, name in statements(path) for one in (module, f"{module}.{name}".rstrip("."))}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def against_the_stream(module: str, found: set[str]) -> set[str]:
    here = place(module)
    later = {other for other in found if here is not None and (place(other) or 0) > here}
    library = module.split(".")[0] in ("interp", "cache")
    return later | {other for other in found if library and other.startswith("streamlit")}


def arrows() -> dict[str, set[str]]:
    """The modules that each module of the library and the cache imports; a package stands for its own `__init__`."""
    paths = {module_of(path): path for path in sources("interp", "cache")}
    found = {}
    for module, path in paths.items():
        named = {inner if (inner := f"{origin}.{name}") in paths else origin for origin, name in statements(path)}
        found[module] = (named & set(paths)) - {module}
    return found


def package(module: str) -> str:
    return ".".join(module.split(".")[: 1 if module.startswith("cache") else 2])


def between_packages(modules: dict[str, set[str]]) -> dict[str, set[str]]:
    """The arrows between modules as arrows between the packages that they are in."""
    found: dict[str, set[str]] = {package(module): set() for module in modules}
    for module, others in modules.items():
        found[package(module)] |= {package(other) for other in others} - {package(module)}
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Some of what imports itself over others, in order; empty where nothing does."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def unplaced(modules: Iterable[str]) -> list[str]:
    return sorted(module for module in modules if place(module) is None)


def test_imports_go_with_the_stream() -> None:
    paths = sources("interp", "cache", "pages")
    assert len(paths) > 500
    found = {module: against_the_stream(module, imported(path)) for path in paths if (module := module_of(path))}
    assert {module: others for module, others in found.items() if others} == {}


def test_the_cache_knows_nothing_of_its_users() -> None:
    for path in sorted((ROOT / "cache").glob("*.py")):
        parts = {name.split(".")[1] for name in imported(path) if name.startswith("interp.")}
        assert parts <= {"types", "progress", "settings", "batches", "cores", "least_recent"}, path.name


def test_an_import_against_the_stream_is_seen() -> None:
    assert against_the_stream("interp.models.loading", {"interp.attribution.cams", "numpy"})
    assert against_the_stream("interp.passes.resuming", {"interp.attribution.method"})
    assert against_the_stream("interp.figures.style", {"streamlit"})
    assert not against_the_stream("interp.figures.style", {"interp.types", "numpy"})


def test_every_package_has_its_place() -> None:
    assert unplaced(set(arrows()) - {"interp"}) == []
    assert unplaced(["interp.unheard_of.module"])


def test_no_module_imports_itself_over_others() -> None:
    assert circle(arrows()) == []


def test_no_package_imports_itself_over_others() -> None:
    assert circle(between_packages(arrows())) == []


def test_a_circle_is_seen() -> None:
    there_and_back = {"interp.a.one": {"interp.b.two"}, "interp.b.two": set(), "interp.b.three": {"interp.a.four"}}
    assert circle(there_and_back) == []
    assert set(circle(between_packages(there_and_back))) == {"interp.a", "interp.b"}
    assert set(circle({"x": {"y"}, "y": {"z"}, "z": {"x"}})) == {"x", "y", "z"}


def between_folders(paths: Iterable[Path]) -> set[tuple[str, str]]:
    """Which folder of `pages/parts` imports which."""
    found = set()
    for path in paths:
        own = path.relative_to(ROOT / "pages" / "parts").parts[0]
        parts = {name.split(".")[2] for name in imported(path) if name.startswith("pages.parts.")}
        found |= {(own, other) for other in parts - {own}}
    return found


def test_no_folder_of_a_page_imports_that_of_another() -> None:
    arrows = between_folders(path for path in sources("pages/parts") if path.parent.name != "parts")
    of_pages = {own for own, _ in arrows} - {"frame", "kit", "cards", "flows"}
    shared = {("frame", "kit"), ("cards", "kit"), ("flows", "kit")}
    assert arrows <= shared | {(own, other) for own in of_pages for other in ("kit", "cards", "flows")}


def test_nothing_but_tests_imports_tests() -> None:
    files = sources("interp", "cache", "pages", "benchmarks")
    assert not [str(path) for path in files if any(one.split(".")[0] == "tests" for one in imported(path))]
