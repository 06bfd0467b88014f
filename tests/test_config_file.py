"""Values of odin.toml come with the line they stand on, and a broken file says where it is broken."""

import pytest

from odin_ws.config_file import Unreadable, lines_of_keys, read_file

FILE = """\
# a comment
[gateway]
port = 1  # another

"max_errors"=2
tokens = [
    "a = b",
    "[publisher]",
]
[ topics . "odin.trades" ]  # quoted
suffix = "x"
[topics.'shop orders']
[publisher]
deep.er = 3
inline = { rate = 4 }
"""


@pytest.fixture
def leaves(tmp_path):
    path = tmp_path / "odin.toml"
    path.write_text(FILE)
    leaves, lines = read_file(path)
    return {leaf.path: (leaf.value, lines[leaf.path]) for leaf in leaves}


def test_each_value_has_its_line(leaves):
    assert leaves == {
        ("gateway", "port"): (1, 3),
        ("gateway", "max_errors"): (2, 5),
        ("gateway", "tokens"): (["a = b", "[publisher]"], 6),
        ("topics", "odin.trades", "suffix"): ("x", 11),
        ("topics", "shop orders"): ({}, 12),
        ("publisher", "deep", "er"): (3, 14),
        ("publisher", "inline", "rate"): (4, 15),
    }


def test_a_table_stands_on_the_line_of_its_head():
    assert lines_of_keys("\n[a]\n[a.b]\n")[("a", "b")] == 3


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"[gateway]\nport = \n", 2, "not valid TOML"),
        (b"[gateway\n", 1, "not valid TOML"),
        (b"a = 1\na = 2\n", 2, "not valid TOML"),
        (b"a = 1\nb = [1,\n", 2, "not valid TOML"),
        (b"a = 1\n# caf\xe9\n", 2, "not UTF-8"),
    ],
)
def test_a_broken_file_tells_the_line(tmp_path, content, line, words):
    path = tmp_path / "odin.toml"
    path.write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        read_file(path)
    assert caught.value.line == line
    assert words in caught.value.message


def test_a_mark_at_the_begin_as_some_editors_leave_it_is_fine(tmp_path):
    path = tmp_path / "odin.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_file(path).leaves[0].value == 1


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    for path, words in ((tmp_path, "directory"), (tmp_path / "missing", "No such file")):
        with pytest.raises(Unreadable, match=words) as caught:
            read_file(path)
        assert caught.value.line == 0
