"""Frames against an independent decoder of the same standard."""

import json

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from odin_ws.gateway.frames import PING, close_frame, json_frame, text_frame


def decode(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parser = Frame.parse(reader.read_exact, mask=False)
    try:
        next(parser)
    except StopIteration as done:
        return done.value
    raise AssertionError("the frame is cut")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_text_frame_of_any_size_holds_its_payload(size):
    frame = decode(text_frame(b"x" * size))
    assert (frame.opcode, frame.fin, len(frame.data)) == (Opcode.TEXT, True, size)


def test_a_json_frame_is_utf8():
    assert json.loads(decode(json_frame({"a": "é", "b": [1, None]})).data) == {"a": "é", "b": [1, None]}


def test_a_close_frame_has_code_and_reason_and_fits_a_control_frame():
    frame = decode(close_frame(4000, "r" * 500))
    assert frame.opcode is Opcode.CLOSE
    assert int.from_bytes(frame.data[:2], "big") == 4000
    assert len(frame.data) == 125


def test_ping():
    assert decode(PING).opcode is Opcode.PING
