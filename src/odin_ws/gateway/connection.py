"""A connection: the socket's edge of one session, on picows. It moves bytes, joins fragments, and closes.

What a message means is protocol.py's business; what waits for the client is the outbox's. This file owns
the order of writes of one client and the closing handshake; the server owns the set of all connections.
"""

import time

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from odin_ws.gateway.closing import Closing
from odin_ws.gateway.frames import PING, close_frame
from odin_ws.gateway.outbox import Outbox
from odin_ws.gateway.protocol import Session
from odin_ws.gateway.worker import Worker

#: Bytes that wait before the transport calls the client slow and we begin to watch it.
HIGH_WATER_BYTES = 65_536


class Connection(WSListener):
    """One client's socket. `last_heard` and `close_at` are of the monotonic clock, in seconds."""

    __slots__ = (
        "_parts",
        "_worker",
        "close_at",
        "closing",
        "last_heard",
        "outbox",
        "ping_slot",
        "session",
        "transport",
    )

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._parts: bytearray | None = None
        self.closing: Closing | None = None
        self.close_at = 0.0
        self.last_heard = 0.0
        self.ping_slot = 0

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done: greet."""
        self.transport = transport
        socket = transport.underlying_transport
        socket.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self.last_heard = time.monotonic()
        self.outbox = Outbox(socket, self._worker.settings.max_queued_bytes)
        self.session = Session(self._worker.hub, self.outbox, self._worker.settings)
        self._worker.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """One frame of any kind; every one counts as a sign of life."""
        self.last_heard = now = time.monotonic()
        kind = frame.msg_type
        if kind in (WSMsgType.PING, WSMsgType.PONG):
            return
        if kind == WSMsgType.CLOSE:
            self._closed_by_client(frame)
        elif self.closing is not None:
            return
        elif kind == WSMsgType.BINARY:
            self.close(Closing.BINARY)
        elif (kind == WSMsgType.CONTINUATION) != (self._parts is not None):
            # RFC 6455, 5.4: fragments of a message come one after the other, and only then the next.
            self.close(Closing.PROTOCOL_ERROR)
        elif frame.fin and self._parts is None:
            self._receive(frame.get_payload_as_bytes(), now)
        else:
            self._join(frame, now)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone: give everything back."""
        self.session.leave()
        self._worker.closed(self)

    def pause_writing(self) -> None:
        """The client does not take what is sent: watch how much waits for it."""
        self._worker.slow.add(self)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._worker.slow.discard(self)

    # What the server calls

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.outbox.write(PING)

    def close(self, closing: Closing, reason: str = "") -> None:
        """Say why and stop sending events; the socket ends when the client answers, or after a while."""
        if self.closing is None:
            self.closing = closing
            self.session.leave()
            self.outbox.write(close_frame(closing.code, reason or closing.reason))
            self.close_at = time.monotonic() + self._worker.CLOSE_GRACE_SECONDS
            self._worker.ending.add(self)

    def abort(self) -> None:
        """Drop the socket now."""
        self.transport.disconnect(graceful=False)

    # Below: how

    def _receive(self, message: bytes, now: float) -> None:
        answer = self.session.receive(message, now, int(time.time() * 1000))
        if answer.frames:
            self.outbox.write(b"".join(answer.frames))
        self._worker.counts.count_message(answer)
        if answer.closing is not None:
            self.close(answer.closing)

    def _join(self, frame: WSFrame, now: float) -> None:
        if self._parts is None:
            self._parts = bytearray()
        self._parts += frame.get_payload_as_bytes()
        if len(self._parts) > self._worker.settings.max_message_bytes:
            self.close(Closing.TOO_BIG)
        elif frame.fin:
            message, self._parts = bytes(self._parts), None
            self._receive(message, now)

    def _closed_by_client(self, frame: WSFrame) -> None:
        if self.closing is None:
            self.closing = Closing.BYE
            self.session.leave()
            code = 1000 if frame.payload_size < 2 else int.from_bytes(frame.get_payload_as_bytes()[:2], "big")
            self.outbox.write(close_frame(code, ""))
        self.transport.disconnect()
