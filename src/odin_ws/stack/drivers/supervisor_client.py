"""Speaks XML-RPC with supervisord over its unix socket; one connection a call, nothing kept open.

Faults become `Fault` of the standard library; a socket nobody listens on becomes `NoSupervisor`.
"""

import http.client
import socket
from pathlib import Path
from typing import Any
from xmlrpc.client import dumps, loads


class NoSupervisor(Exception):
    """Nobody answers on the socket."""


class SupervisorClient:
    """Calls by full method name: `call("supervisor.getState")`. Usable from several threads."""

    def __init__(self, path: Path, timeout_seconds: float = 3.0) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds

    def call(self, method: str, *arguments: str | bool) -> Any:
        """The method's result; raises NoSupervisor or xmlrpc.client.Fault."""
        connection = _UnixConnection(self._path, self._timeout_seconds)
        try:
            body = dumps(arguments, method)
            connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
            answer = connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            raise NoSupervisor(str(error)) from error
        finally:
            connection.close()
        (result,), _ = loads(answer)
        return result


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
