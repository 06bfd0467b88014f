"""XML-RPC over a unix socket, against the standard library's own server."""

import socketserver
import threading
from xmlrpc.client import Fault
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

import pytest

from odin_ws.stack.drivers.supervisor_client import NoSupervisor, SupervisorClient


class Handler(SimpleXMLRPCRequestHandler):
    disable_nagle_algorithm = False

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class Server(socketserver.UnixStreamServer, SimpleXMLRPCDispatcher):
    logRequests = False  # noqa: N815 - the standard library's name

    def __init__(self, path):
        SimpleXMLRPCDispatcher.__init__(self, allow_none=True)
        socketserver.UnixStreamServer.__init__(self, str(path), Handler)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "s"
    with Server(path) as server:
        server.register_function(lambda name, flag: [name, flag], "echo")
        server.register_function(lambda: 1 / 0, "fail")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_a_call_gives_the_methods_result(path):
    assert SupervisorClient(path).call("echo", "ws", True) == ["ws", True]


def test_a_fault_is_a_fault(path):
    with pytest.raises(Fault, match="ZeroDivisionError"):
        SupervisorClient(path).call("fail")


def test_nobody_there(tmp_path):
    with pytest.raises(NoSupervisor):
        SupervisorClient(tmp_path / "none").call("echo")


def test_a_stale_socket_is_nobody(tmp_path):
    with Server(tmp_path / "stale"):
        pass
    with pytest.raises(NoSupervisor):
        SupervisorClient(tmp_path / "stale").call("echo")
