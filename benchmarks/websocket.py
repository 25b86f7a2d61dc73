"""One browser tab as the server sees it: Streamlit's own messages over its websocket."""

from __future__ import annotations

import asyncio
import time
import urllib.request
import uuid
from collections.abc import Sequence
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect

SETTLED_RUNS = 3


class Tab:
    """A tab that shows one page and asks for reruns of it.

    What is not touched of its widgets keeps the state that the server holds. As a browser does, it tells the server
    which messages it still has, and takes over the address that the page writes. `widgets` are those that it was shown,
    by their keys, and `said` the errors that the last run has shown in words.
    """

    def __init__(self, port: int, page: str, query: str) -> None:
        self._server = f"localhost:{port}"
        self._page, self._query, self._hash = page, query, ""
        self._known: list[str] = []
        self.computing = False
        self.received = 0
        self.widgets: dict[str, Element] = {}
        self.said: list[str] = []

    async def __aenter__(self) -> Tab:
        # A client that is no browser sends no Origin, and Streamlit then asks for no token.
        self._socket = await connect(self._stream, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._socket.close()

    @property
    def _stream(self) -> str:
        return f"ws://{self._server}/_stcore/stream"

    async def rerun(self, states: Sequence[WidgetState] = ()) -> float:
        """Ask for a rerun, with new states of widgets, and wait until the script has finished; gives the seconds."""
        question = BackMsg()
        question.rerun_script.query_string = self._query
        question.rerun_script.page_script_hash = self._hash
        question.rerun_script.page_name = self._page
        question.rerun_script.cached_message_hashes.extend(self._known)
        question.rerun_script.widget_states.widgets.extend(states)
        start = time.perf_counter()
        await self._socket.send(question.SerializeToString())
        await self._finished()
        return time.perf_counter() - start

    async def select(self, key: str, option: str) -> float:
        """Choose in the selectbox with this key; gives the seconds until the script has finished."""
        return await self.rerun([WidgetState(id=self.widgets[key].selectbox.id, string_value=option)])

    async def upload(self, key: str, name: str, content: bytes) -> float:
        """Give the uploader with this key a file; gives the seconds until the script has finished with it."""
        start = time.perf_counter()
        question = BackMsg()
        question.file_urls_request.request_id = str(uuid.uuid4())
        question.file_urls_request.file_names.append(name)
        await self._socket.send(question.SerializeToString())
        place = await self._place()
        await asyncio.to_thread(_put, self._server, place.upload_url, name, content)
        state = WidgetState(id=self.widgets[key].file_uploader.id)
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(content), file_id=place.file_id, file_urls=place
        )
        await self.rerun([state])
        return time.perf_counter() - start

    async def _place(self) -> FileURLs:
        while True:
            message = await self._next()
            if message.WhichOneof("type") == "file_urls_response":
                return message.file_urls_response.file_urls[0]

    async def _next(self) -> ForwardMsg:
        content = await self._socket.recv()
        message = ForwardMsg()
        message.ParseFromString(content if isinstance(content, bytes) else content.encode())
        self.received += len(content)
        return message

    def _shown(self, element: Element) -> None:
        """Take note of what an element says or may be asked."""
        kind = element.WhichOneof("type") or ""
        if kind == "exception":
            raise RuntimeError(f"The page {self._page or 'app'} fails: {element.exception.message}")
        if kind == "alert" and element.alert.format == element.alert.ERROR:
            self.said.append(element.alert.body)
        identity = getattr(getattr(element, kind), "id", "") if kind else ""
        # "$$ID-digest-key"
        if identity.startswith("$$ID-") and identity.count("-") > 1:
            self.widgets[identity.split("-", 2)[2]] = element

    async def settle(self, *, patience: float = 300) -> None:
        """Rerun until the page shows its result. Raises `TimeoutError` where it still computes after `patience`."""
        settled, end = 0, time.perf_counter() + patience
        while settled < SETTLED_RUNS:
            if time.perf_counter() > end:
                raise TimeoutError(f"The page {self._page or 'app'} still computes after {patience} s.")
            await self.rerun()
            settled = 0 if self.computing else settled + 1
            await asyncio.sleep(0.3)

    async def _finished(self) -> None:
        self.computing, self.received, self.said, known = False, 0, [], []
        while True:
            message = await self._next()
            kind = message.WhichOneof("type")
            if kind == "ref_hash":
                known.append(message.ref_hash)
            elif message.metadata.cacheable and message.hash:
                known.append(message.hash)
            if kind == "navigation":
                # A new session's first message still names the first page, whichever was asked for.
                self._hash = message.navigation.page_script_hash
            elif kind == "page_not_found":
                raise ValueError(f"The app has no page {self._page!r}.")
            elif kind == "new_session":
                # A run that ends early for the next one is no result.
                self.computing = False
            elif kind == "page_info_changed":
                self._query = message.page_info_changed.query_string
            elif kind == "auto_rerun":
                self.computing = True
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self._shown(message.delta.new_element)
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._known = known
                return
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                raise RuntimeError(f"The page {self._page or 'app'} does not compile.")


def _put(server: str, path: str, name: str, content: bytes) -> None:
    """Send a file as a browser does: the server wants its own cookie back."""
    with urllib.request.urlopen(f"http://{server}/_stcore/health", timeout=60) as answer:
        cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    request = urllib.request.Request(
        f"http://{server}{path}", method="PUT", data=head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}", "Cookie": cookie,
                 "X-Xsrftoken": cookie.partition("=")[2]},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60):
        pass
