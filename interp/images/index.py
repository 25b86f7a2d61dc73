"""A folder's `index.csv`, read as `tables` reads it, for a caller that looks for the pictures itself."""

from __future__ import annotations

from pathlib import Path

from interp.images import files, tables
from interp.images.files import Boundary
from interp.images.problems import Problems
from interp.images.tables import Row


def read(path: Path, problems: Problems) -> tuple[list[Row], bytes]:
    """The rows of the table, and its bytes; a box table's rows of one picture are one.

    Raises `ValueError` that names the file, and the line where it is known, for what is no such table.
    """
    listed = [one.relative for one in files.list_folder(path.parent, Boundary(None), Problems()).pictures]
    table = tables.read(path, problems, present=listed)
    rows = tables.by_picture(table)
    return [row._replace(file=(row.picture or row.file).removeprefix("images/")) for row in rows], table.content
