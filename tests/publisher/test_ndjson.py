"""Lines into drafts: what passes, the reason for what does not, any cutting of the stream."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.eventlog.base import Draft
from odin_ws.publisher.ndjson import MAX_LINE_BYTES, BadLine, LineParser, LineSplitter, compact

PARSER = LineParser(["orders", "odin.trades"])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def lines_of(*chunks: bytes) -> list[tuple[int, bytes]]:
    splitter = LineSplitter()
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return lines + list(splitter.finish())


@pytest.mark.parametrize(
    ("line", "draft"),
    [
        (b'{"topic":"orders","key":"1","value":{"a": 1}}', Draft("orders", b"1", b'{"a":1}')),
        (b'{"topic":"orders","value":null}', Draft("orders", None, b"null")),
        (b'{"topic":"orders","key":null,"value":"a b"}', Draft("orders", None, b'"a b"')),
        (b'{"topic":"orders","key":"","value":1.50}', Draft("orders", b"", b"1.50")),
        (b'{"value":1,"timestamp":5,"topic":"orders"}', Draft("orders", None, b"1", 5)),
        ('{"topic":"orders","key":"ü","value":"é"}'.encode(), Draft("orders", "ü".encode(), '"é"'.encode())),
        (
            b'{"topic":"orders","value":123456789012345678901234567890}',
            Draft("orders", None, b"123456789012345678901234567890"),
        ),
    ],
)
def test_good_lines(line: bytes, draft: Draft) -> None:
    assert PARSER.draft(line) == draft


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "is not valid JSON"),
        (b"nonsense", "is not valid JSON"),
        (b'{"topic":"orders","value":NaN}', "is not valid JSON"),
        (b'{"topic":"orders","value":1} x', "is not valid JSON"),
        (b'{"topic":"orders","value":"\xff"}', "is not valid UTF-8 at byte 27"),
        (b"[]", "is no JSON object"),
        (b"7", "is no JSON object"),
        (b'{"topic":"orders"}', "has no value"),
        (b'{"value":1}', "has no topic"),
        (b'{"topic":"orders","vlue":1}', "has an unknown field 'vlue'"),
        (b'{"topic":7,"value":1}', "topic must be a string"),
        (b'{"topic":"orders","key":7,"value":1}', "key must be a string or null"),
        (b'{"topic":"orders","value":1,"timestamp":"x"}', "timestamp must be Unix time in milliseconds"),
        (b'{"topic":"orders","value":1,"timestamp":1.5}', "timestamp must be Unix time in milliseconds"),
        (b'{"topic":"orders","value":1,"timestamp":-1}', "timestamp must be Unix time in milliseconds"),
        (b'{"topic":"order","value":1}', "topic 'order' does not exist (did you mean 'orders'?)"),
        (b'{"topic":"zzz","value":1}', "topic 'zzz' does not exist; there are: odin.trades, orders"),
        (b'{"topic":"orders","value":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
        (b'{"topic":"orders","value":"' + b"x" * MAX_LINE_BYTES + b'"}', "is longer than 1048576 bytes"),
    ],
)
def test_bad_lines_are_told_why(line: bytes, reason: str) -> None:
    with pytest.raises(BadLine) as caught:
        PARSER.draft(line)
    assert str(caught.value).startswith(reason)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_draft_or_a_bad_line(line: bytes) -> None:
    with contextlib.suppress(BadLine):
        assert PARSER.draft(line).topic in ("orders", "odin.trades")


@given(JSON, st.sampled_from([None, 1, "\t"]))
def test_compact_changes_nothing_but_space(value: object, indent: int | str | None) -> None:
    written = json.dumps(value, indent=indent).encode()
    expected = json.dumps(value, separators=(",", ":")).encode()
    assert compact(written) == expected


@given(JSON)
def test_a_value_reaches_the_log_as_it_was_meant(value: object) -> None:
    line = json.dumps({"topic": "orders", "key": "k", "value": value}).encode()
    assert json.loads(PARSER.draft(line).value) == value


def test_lines_are_numbered_and_blank_ones_left_out() -> None:
    assert lines_of(b"a\n\n  \nb\r\nc") == [(1, b"a"), (4, b"b"), (5, b"c")]


def test_a_byte_order_mark_is_not_part_of_the_first_line() -> None:
    assert lines_of(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n") == [(1, b"a"), (2, b"\xef\xbb\xbfb")]


@given(st.lists(st.sampled_from([b"a", b"bc", b"", b" d "])), st.data())
def test_any_cutting_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert lines_of(*chunks) == lines_of(stream)


def test_an_endless_line_is_not_kept_whole_and_the_next_one_is_fine() -> None:
    splitter = LineSplitter()
    for _ in range(40):
        assert list(splitter.feed(b"x" * 100_000)) == []
    [(first, long), second] = splitter.feed(b"\nnext\n")
    assert first == 1
    assert MAX_LINE_BYTES < len(long) < MAX_LINE_BYTES + 10
    assert second == (2, b"next")
