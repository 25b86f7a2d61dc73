"""One browser tab as the server sees it: Streamlit's own messages over its websocket."""

from __future__ import annotations

import asyncio
import math
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
KEPT_RUNS = 2
"""Streamlit's `global.maxCachedMessageAge`, after which browsers drop a message that was not shown again."""
_FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class Tab:
    """A tab that shows one page and asks for reruns of it.

    What is not touched of its widgets keeps the state that the server holds. As a browser does, it tells the server
    which messages it still has, and takes over the address that the page writes. `widgets` are those that it was shown,
    by their keys, and `said` the errors that the last run has shown in words. Of the fragments that are to be run every
    few seconds, `polled` has the seconds, and `polls` counts how often `live` has asked for one.
    """

    def __init__(self, port: int, page: str, query: str) -> None:
        self._server = f"localhost:{port}"
        self._page, self._query, self._hash = page, query, ""
        # When each message was last shown, in runs, and the fragment that it is of.
        self._known: dict[str, tuple[int, str]] = {}
        self._runs = 0
        self.received = 0
        self.messages = 0
        self.widgets: dict[str, Element] = {}
        self.said: list[str] = []
        self.polled: dict[str, float] = {}
        self.polls = 0
        self._fragments: dict[str, str] = {}
        self._due: dict[str, float] = {}

    async def __aenter__(self) -> Tab:
        # A client that is no browser sends no Origin, and Streamlit then asks for no token.
        self._socket = await connect(self._stream, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._socket.close()

    @property
    def computing(self) -> bool:
        """Whether the page waits for something, and so has a part of it run every few seconds."""
        return bool(self.polled)

    @property
    def _stream(self) -> str:
        return f"ws://{self._server}/_stcore/stream"

    async def rerun(self, states: Sequence[WidgetState] = (), fragment: str = "") -> float:
        """Ask for a rerun, with new states of widgets, and wait until the script has finished; gives the seconds.

        A fragment that is named is run alone, as a browser asks where a widget stands in one.
        """
        return await self._asked(self._question(fragment, states))

    def _question(self, fragment: str = "", states: Sequence[WidgetState] = (), *, polled: bool = False) -> BackMsg:
        question = BackMsg()
        asked = question.rerun_script
        asked.query_string, asked.page_script_hash, asked.page_name = self._query, self._hash, self._page
        asked.fragment_id, asked.is_auto_rerun = fragment, polled
        asked.cached_message_hashes.extend(self._known)
        asked.widget_states.widgets.extend(states)
        return question

    async def _asked(self, question: BackMsg) -> float:
        start = time.perf_counter()
        await self._socket.send(question.SerializeToString())
        await self._finished()
        return time.perf_counter() - start

    async def live(self, until: float) -> None:
        """Wait until a moment of `time.perf_counter`, and meanwhile ask for fragments as often as the page has said."""
        while True:
            fragment, due = min(self._due.items(), key=lambda one: one[1], default=("", until))
            if due >= until:
                await asyncio.sleep(max(0.0, until - time.perf_counter()))
                return
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.polls += 1
            self._due[fragment] += self.polled[fragment]
            await self._asked(self._question(fragment, polled=True))

    async def select(self, key: str, option: str) -> float:
        """Choose in the selectbox, or the row of buttons, with this key; gives the seconds until it is drawn."""
        return await self.rerun([self._state(key, option)], self._fragments[key])

    def _state(self, key: str, option: str) -> WidgetState:
        element = self.widgets[key]
        if element.WhichOneof("type") == "selectbox":
            return WidgetState(id=element.selectbox.id, string_value=option)
        state = WidgetState(id=element.button_group.id)
        state.string_array_value.data.append(option)
        return state

    def options(self, key: str) -> list[str]:
        """What can be chosen in the selectbox, or in the row of buttons, with this key."""
        element = self.widgets[key]
        if element.WhichOneof("type") == "selectbox":
            return list(element.selectbox.options)
        return [one.content for one in element.button_group.options]

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
        self.messages += 1
        return message

    def _shown(self, element: Element, fragment: str) -> None:
        """Take note of what an element says or may be asked."""
        kind = element.WhichOneof("type") or ""
        if kind == "exception":
            raise RuntimeError(f"The page {self._page or 'app'} fails: {element.exception.message}")
        if kind == "alert" and element.alert.format == element.alert.ERROR:
            self.said.append(element.alert.body)
        identity = getattr(getattr(element, kind), "id", "") if kind else ""
        # "$$ID-digest-key"
        if identity.startswith("$$ID-") and identity.count("-") > 1:
            key = identity.split("-", 2)[2]
            self.widgets[key], self._fragments[key] = element, fragment

    async def settle(self, *, patience: float = 300) -> None:
        """Rerun until the page shows its result. Raises `TimeoutError` where it still computes after `patience`."""
        settled, end = 0, time.perf_counter() + patience
        while settled < SETTLED_RUNS:
            if time.perf_counter() > end:
                raise TimeoutError(f"The page {self._page or 'app'} still computes after {patience} s.")
            await self.rerun()
            settled = 0 if self.computing else settled + 1
            await asyncio.sleep(0.3)

    @property
    def next_poll(self) -> float:
        """When a fragment is to be run next."""
        return min(self._due.values(), default=math.inf)

    def _follow(self, fragment: str, seconds: float) -> None:
        # As a browser does: what is polled as often as before goes on as before.
        if self.polled.get(fragment) != seconds:
            self.polled[fragment], self._due[fragment] = seconds, time.perf_counter() + seconds

    async def _finished(self) -> None:
        self.received, self.messages, self.said = 0, 0, []
        ran: list[str] = []
        while True:
            message = await self._next()
            kind = message.WhichOneof("type")
            if kind == "ref_hash":
                self._known[message.ref_hash] = (self._runs, self._known[message.ref_hash][1])
            elif message.metadata.cacheable and message.hash:
                self._known[message.hash] = (self._runs, message.delta.fragment_id)
            if kind == "navigation":
                # A new session's first message still names the first page, whichever was asked for.
                self._hash = message.navigation.page_script_hash
            elif kind == "page_not_found":
                raise ValueError(f"The app has no page {self._page!r}.")
            elif kind == "new_session":
                ran = list(message.metadata.run.fragment_ids)
                if not ran:
                    self.polled.clear()
                    self._due.clear()
            elif kind == "page_info_changed":
                self._query = message.page_info_changed.query_string
            elif kind == "auto_rerun":
                self._follow(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            elif kind == "stop_auto_rerun":
                for fragment in message.stop_auto_rerun.fragment_ids:
                    self.polled.pop(fragment, None)
                    self._due.pop(fragment, None)
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self._shown(message.delta.new_element, message.delta.fragment_id)
            elif kind == "script_finished" and message.script_finished in _FINISHED:
                self._forget(ran)
                return
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                raise RuntimeError(f"The page {self._page or 'app'} does not compile.")

    def _forget(self, ran: Sequence[str]) -> None:
        """Drop the messages that were not shown for some runs; where fragments alone were run, only theirs."""
        self._runs += 1
        self._known = {
            digest: (last, fragment)
            for digest, (last, fragment) in self._known.items()
            if self._runs - last <= KEPT_RUNS or (ran and fragment not in ran)
        }


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
