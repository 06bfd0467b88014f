"""An outbox joins a tick's blobs into one write and knows when its client is too slow."""

from odin_ws.gateway.outbox import Outbox


class Sink:
    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.kept = 0

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def get_write_buffer_size(self) -> int:
        return self.kept


def test_what_is_collected_leaves_in_one_write_in_order():
    outbox = Outbox(sink := Sink(), 100)
    assert outbox.collect(b"a")
    assert not outbox.collect(b"b")
    outbox.flush()
    outbox.flush()
    assert sink.writes == [b"ab"]
    assert outbox.collect(b"c"), "the next tick begins anew"


def test_over_limit_is_beyond_not_at_the_bound():
    outbox = Outbox(sink := Sink(), 100)
    sink.kept = 100
    assert not outbox.over_limit()
    sink.kept = 101
    assert outbox.over_limit()
    assert outbox.queued_bytes() == 101
