"""One browser tab as the server sees it: Streamlit's own messages over its websocket."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

SETTLED_RUNS = 3


class Tab:
    """A tab that shows one page and asks for reruns of it.

    Nobody touches its widgets, so that their states stay those that the server holds. As a browser does, it tells the
    server which messages it still has, and takes over the address that the page writes.
    """

    def __init__(self, port: int, page: str, query: str) -> None:
        self._address = f"ws://localhost:{port}/_stcore/stream"
        self._page, self._query, self._hash = page, query, ""
        self._known: list[str] = []
        self.computing = False
        self.received = 0

    async def __aenter__(self) -> Tab:
        # A client that is no browser sends no Origin, and Streamlit then asks for no token.
        self._socket = await connect(self._address, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._socket.close()

    async def rerun(self) -> float:
        """Ask for a rerun and wait until the script has finished; gives the seconds between."""
        question = BackMsg()
        question.rerun_script.query_string = self._query
        question.rerun_script.page_script_hash = self._hash
        question.rerun_script.page_name = self._page
        question.rerun_script.cached_message_hashes.extend(self._known)
        start = time.perf_counter()
        await self._socket.send(question.SerializeToString())
        await self._finished()
        return time.perf_counter() - start

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
        self.computing, self.received, known = False, 0, []
        while True:
            content = await self._socket.recv()
            message = ForwardMsg()
            message.ParseFromString(content if isinstance(content, bytes) else content.encode())
            self.received += len(content)
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
            elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                said = message.delta.new_element.exception.message
                raise RuntimeError(f"The page {self._page or 'app'} fails: {said}")
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._known = known
                return
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                raise RuntimeError(f"The page {self._page or 'app'} does not compile.")
