"""What waits for one client. Policy `all`: everything, in order, up to a bound in bytes.

An outbox collects a tick's blobs and hands them to its transport in one write. The transport keeps what
the socket does not take; beyond `limit_bytes` of that the client is a slow consumer and `over_limit`
says so. Who closes the connection, and when, is the hub's owner's business.
"""

from typing import Protocol


class Transport(Protocol):
    """The part of asyncio's transport that an outbox needs."""

    def write(self, data: bytes) -> None:
        """Send, or keep until the socket takes it."""
        ...

    def get_write_buffer_size(self) -> int:
        """Bytes kept."""
        ...


class Outbox:
    """The way to one client. `write` goes straight to the transport; `collect`/`flush` join a tick."""

    __slots__ = ("_waiting", "limit_bytes", "transport", "write")

    def __init__(self, transport: Transport, limit_bytes: int) -> None:
        self.transport = transport
        self.write = transport.write
        self.limit_bytes = limit_bytes
        self._waiting: list[bytes] | None = None

    def collect(self, blob: bytes) -> bool:
        """Keep a blob for this tick; True when it is the tick's first."""
        if self._waiting is None:
            self._waiting = [blob]
            return True
        self._waiting.append(blob)
        return False

    def flush(self) -> None:
        """Write what was collected, as one."""
        waiting = self._waiting
        if waiting is not None:
            self._waiting = None
            self.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def queued_bytes(self) -> int:
        """Bytes that wait for the client in this process (not in the kernel)."""
        return self.transport.get_write_buffer_size()

    def over_limit(self) -> bool:
        """Whether more than `limit_bytes` wait: a slow consumer."""
        return self.queued_bytes() > self.limit_bytes
