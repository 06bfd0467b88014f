"""The table of close codes holds the protocol's rules."""

from odin_ws.gateway.closing import Closing


def test_ranges_say_whether_to_reconnect():
    for closing in Closing:
        if 4000 <= closing.code < 4100:
            assert closing.reconnect
        if 4100 <= closing.code < 4200:
            assert not closing.reconnect


def test_codes_and_labels_are_unique_and_reasons_fit_a_control_frame():
    assert len({c.code for c in Closing}) == len({c.label for c in Closing}) == len(list(Closing))
    assert all(len(c.reason.encode()) <= 123 for c in Closing)


def test_the_protocols_codes_are_all_there():
    assert {c.code for c in Closing} >= {1000, 1003, 1007, 1009, 1012, 4000, 4001, 4100, 4101, 4102}


def test_label_of_a_code():
    assert Closing.label_of(4001) == "silent"
    assert Closing.label_of(1006) == "lost"
    assert Closing.label_of(3333) == "other"
