"""The listening socket of the publisher; the process as a whole is tested with real ones."""

import socket

import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.publisher.server import listen
from support import free_port


def test_listen_takes_connections() -> None:
    with listen("127.0.0.1", free_port()) as listener, socket.create_connection(listener.getsockname()[:2]):
        pass


def test_a_port_in_use_is_named() -> None:
    with listen("127.0.0.1", free_port()) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OdinError) as caught:
            listen("127.0.0.1", port)
    assert f"127.0.0.1:{port}" in caught.value.message
    assert caught.value.exit_code == ExitCode.START_FAILED


def test_a_host_that_cannot_be_had_is_named() -> None:
    with pytest.raises(OdinError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", free_port())
