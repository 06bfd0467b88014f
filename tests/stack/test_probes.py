"""Probes against small HTTP servers that say what a test tells them."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from odin_ws.home import Home
from odin_ws.settings import GatewaySettings, PublisherSettings, Settings
from odin_ws.stack.probes import get, probe_embedded_log, probe_gateway, probe_publisher

HEALTHY = {
    "status": "healthy",
    "healthy": True,
    "checks": {"capacity": {"current": 3}, "feed": {"lag_records": 1}},
}


@pytest.fixture
def served():
    """A server with answers by path: `served({"/health": (200, {...})})` gives its settings."""
    servers = []

    def serve(answers):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = answers.get(self.path, (404, {}))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        port = server.server_port
        return Settings(gateway=GatewaySettings(port=port), publisher=PublisherSettings(port=port))

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_ready_gateway_is_well_and_tells_its_figures(served, tmp_path):
    settings = served({"/readyz": (200, {}), "/health": (200, HEALTHY)})
    outcome = probe_gateway(settings, Home(tmp_path), 2)
    assert outcome.ok
    assert outcome.summary == "3 clients, lag 1 record"
    assert outcome.details == HEALTHY


def test_a_gateway_that_is_not_ready_says_why(served, tmp_path):
    settings = served({"/readyz": (503, {"failing": {"log": "cannot be read"}}), "/health": (503, {})})
    outcome = probe_gateway(settings, Home(tmp_path), 2)
    assert not outcome.ok
    assert outcome.summary == "/readyz answers 503 (log: cannot be read)"


def test_a_degraded_gateway_serves_and_says_so(served, tmp_path):
    degraded = {**HEALTHY, "status": "degraded", "healthy": False, "reasons": ["feed: no record for 61 s"]}
    outcome = probe_gateway(served({"/readyz": (200, {}), "/health": (200, degraded)}), Home(tmp_path), 2)
    assert outcome.ok
    assert outcome.summary == "degraded: feed: no record for 61 s"


def test_a_gateway_without_health_is_ill(served, tmp_path):
    outcome = probe_gateway(served({"/readyz": (200, {}), "/health": (500, "boom")}), Home(tmp_path), 2)
    assert not outcome.ok
    assert outcome.summary == "/health answers 500 (boom)"


@pytest.mark.parametrize(("said", "ok"), [("connected", True), ("disconnected", False)])
def test_a_publisher_must_be_connected(served, tmp_path, said, ok):
    health = {"status": "ok", "publisher": said, "simulator": "running", "currentRate": 100.0}
    outcome = probe_publisher(served({"/health": (200, health)}), Home(tmp_path), 2)
    assert outcome.ok is ok
    assert outcome.summary == ("simulator running, 100 events/s" if ok else "not connected to the log")


@pytest.mark.parametrize("probe", [probe_gateway, probe_publisher])
def test_nobody_there_is_told_at_once(probe, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        settings = Settings(gateway=GatewaySettings(port=port), publisher=PublisherSettings(port=port))
        assert probe(settings, Home(tmp_path), 2).summary == f"nobody listens on 127.0.0.1:{port}"


def test_silence_ends_with_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = get("127.0.0.1", port, "/", 0.1)
    assert (answer.status, answer.body) == (0, f"no answer from 127.0.0.1:{port} within 0.1 s")


def test_what_is_no_http_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_say_nonsense, args=(server,))
        thread.start()
        assert get("127.0.0.1", server.getsockname()[1], "/", 2).status == 0
        thread.join()


def _say_nonsense(server):
    connection, _ = server.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"\x00\x01 nonsense\r\n\r\n")


def test_a_log_that_was_never_made_is_ill(tmp_path):
    outcome = probe_embedded_log(Settings(), Home(tmp_path).create(), 2)
    assert not outcome.ok
    assert "not created" in outcome.summary
