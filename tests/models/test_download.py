import hashlib
import http.server
import threading

import pytest
import torch

from interp import progress
from interp.models import WeightsUnavailable, download

CONTENT = bytes(range(256)) * 10_000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if "missing" in self.path:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) * (2 if "short" in self.path else 1)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


class Listener:
    def __init__(self, stop_at: int | None = None):
        self.heard, self.stop_at = [], stop_at

    def step(self, done, total, what):
        self.heard.append((done, total, what))
        if self.stop_at is not None and done >= self.stop_at:
            raise KeyboardInterrupt

    def remark(self, text):
        pass


def name() -> str:
    return f"net-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


def test_a_file_is_fetched_once_with_progress(server, hub):
    listener = Listener()
    with progress.listening(listener):
        path = download.fetch(f"{server}/{name()}")
    assert path == hub / name()
    assert path.read_bytes() == CONTENT
    assert listener.heard[-1] == (len(CONTENT), len(CONTENT), f"Downloading {name()}")
    assert len(listener.heard) == 3
    assert download.fetch(f"http://127.0.0.1:1/{name()}") == path
    assert [file.name for file in hub.iterdir()] == [name()]


@pytest.mark.parametrize(
    "file, words", [("net-00000000.pth", "SHA-256"), ("short.pth", "broke"), ("missing.pth", "404")]
)
def test_a_wrong_file_leaves_nothing_behind(server, hub, file, words):
    with pytest.raises(WeightsUnavailable, match=words) as raised:
        download.fetch(f"{server}/{file}")
    assert str(hub / file) in str(raised.value)
    assert list(hub.iterdir()) == []


def test_stopping_leaves_nothing_behind(server, hub):
    with pytest.raises(KeyboardInterrupt), progress.listening(Listener(stop_at=1)):
        download.fetch(f"{server}/{name()}")
    assert list(hub.iterdir()) == []


def test_no_network_says_what_to_do(hub):
    with pytest.raises(WeightsUnavailable, match="weights=FILE.*TOML") as raised:
        download.fetch("http://127.0.0.1:1/net.pth")
    assert str(hub / "net.pth") in str(raised.value)
