"""A visitor's own pictures: dropped, chosen or pasted, and kept on the server's disk as long as the session lasts.

Streamlit's uploader holds what it is given in memory as long as the session lasts, and longer. Here its files are taken
from it as soon as they arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.components.v2 import component
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from interp.images import Problem
from interp.images.uploads import Depot, Uploads, megabytes
from pages.parts.frame import arriving
from pages.parts.kit import server
from pages.parts.kit.text import plain, shortened

KEY = "uploads"
VISITORS_MB = 200
LARGEST_MB = 50
LISTED = 50
SAID = 5
_UPLOADS, _TURN, _OPEN = "uploads-kept", "uploads-turn", "uploads-list"

# Pasted pictures are put into the uploader, so that they take its way, with its limits.
_PASTE = component(
    "loupe_paste",
    js="""
export default function () {
  const paste = (event) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    const input = document.querySelector(".st-key-uploads input[type=file]");
    if (!pictures.length || !input) return;
    const transfer = new DataTransfer();
    pictures.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    event.preventDefault();
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}
""",
)


def own() -> Uploads:
    """What this session's visitor has uploaded, and keeps."""
    if _UPLOADS not in st.session_state:
        everybody = server.options().uploads
        st.session_state[_UPLOADS] = Uploads(_depot(), limit=min(VISITORS_MB * 1_000_000, everybody))
    return st.session_state[_UPLOADS]


def draw(turn_to_them: Callable[[], None]) -> None:
    """Draw the uploader, with what is kept and what was refused; `turn_to_them` is called where something came."""
    uploads, context = own(), get_script_run_ctx()
    if context is not None:
        arriving.watch(context.session_id, uploads)
    # Another limit gives the uploader another identity, and so empties it; both limits are the same.
    turned = st.session_state.get(_TURN, False)
    st.file_uploader(
        "Add your own: drop, choose, or paste",
        accept_multiple_files=True,
        key=KEY,
        on_change=_receive,
        args=(turn_to_them,),
        max_upload_size=LARGEST_MB if turned else None,
        help=f"JPEG, PNG, WebP, TIFF, BMP, AVIF and others; up to {LARGEST_MB} MB each, and "
        f"{megabytes(uploads.budget.limit)} MB together. They stay on the server's disk until this browser session "
        "ends; nobody else sees them.",
    )
    if uploads.files:
        _list(uploads)
    if uploads.refused:
        _said(f":material/warning: **{len(uploads.refused):,} not kept**", uploads.refused)
    remarks = [Problem(file.name, said) for file in uploads.files for said in file.remarks]
    if remarks:
        _said(":material/info: **How they were read**", remarks)
    _PASTE(key="paste", height=0)


def _list(uploads: Uploads) -> None:
    count = len(uploads.files)
    st.caption(f"{count:,} kept, {megabytes(uploads.budget.used)} of {megabytes(uploads.budget.limit)} MB")
    # A heading that changed would close the list at each removal.
    with st.expander("Remove some", key=_OPEN, on_change="rerun") as listed:
        if not listed.open:
            return
        for number, file in enumerate(uploads.files[:LISTED]):
            st.button(
                f"{plain(shortened(file.name, 20))} · {_size(file.size)}",
                key=f"uploads-remove-{number}-{file.digest.hex()}",
                icon=":material/close:",
                type="tertiary",
                help=f"Remove {plain(file.name)}",
                on_click=uploads.discard,
                args=(file.digest,),
            )
        if count > LISTED:
            st.caption(f"And {count - LISTED:,} more.")
        st.button("Remove all", key="uploads-remove-all", icon=":material/delete:", on_click=uploads.clear)
        if uploads.lingering:
            st.caption("What was removed and is still in use, by a computation or your selection, still counts.")


def _size(size: int) -> str:
    return f"{megabytes(size)} MB" if size >= 95_000 else f"{max(1, round(size / 1000))} kB"


def _said(heading: str, problems: Sequence[Problem]) -> None:
    lines = [f"{plain(shortened(one.name, 40))}: {plain(one.reason)}" for one in problems[:SAID]]
    if len(problems) > SAID:
        lines.append(f"And {len(problems) - SAID:,} more.")
    st.caption("\n\n".join([heading, *lines]))


def _receive(turn_to_them: Callable[[], None]) -> None:
    """Take the files from Streamlit, which forgets them, and keep those that are pictures."""
    given = [file for file in st.session_state.get(KEY) or [] if isinstance(file, UploadedFile)]
    context = get_script_run_ctx()
    if not given or context is None:
        return
    uploads, late = own(), arriving.turned_away(context.session_id)
    came = uploads.add((file.name, file.getvalue()) for file in given if file.file_id not in late)
    uploads.refused += tuple(late[file.file_id] for file in given if file.file_id in late)
    if isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in given:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    st.session_state[_TURN] = not st.session_state.get(_TURN, False)
    if came:
        turn_to_them()


@st.cache_resource
def _depot() -> Depot:
    return Depot(server.options().uploads)
