"""The locks name no index and no machine, pin everything with hashes, and cover what the project asks for."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from odin_ws.checkout.locks import DEV_LOCK, RUNTIME_LOCK, foreign_lines, write_locks
from odin_ws.errors import OdinError

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (RUNTIME_LOCK, DEV_LOCK)


def pins(lock: str) -> dict[str, str]:
    """Package name to the line that pins it."""
    found = re.finditer(r"^([a-z0-9-]+)==\S+.*$", (ROOT / lock).read_text(), re.MULTILINE)
    return {match.group(1): match.group() for match in found}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[ <>=\[]", text)[0].replace("_", "-").lower() for text in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_stands_in_a_lock(lock: str) -> None:
    assert foreign_lines((ROOT / lock).read_text()) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_a_hash_or_a_remark(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    # .*", line)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_prerelease_is_pinned(lock: str) -> None:
    versions = [line.split("==")[1].split()[0] for line in pins(lock).values()]
    assert [version for version in versions if re.search(r"\d(a|b|rc|dev)\d", version)] == []


def test_the_locks_cover_the_project() -> None:
    table = project()["project"]
    extras = table["optional-dependencies"]
    assert names(table["dependencies"]) | names(extras["setup"]) <= set(pins(RUNTIME_LOCK))
    assert names(extras["dev"]) <= set(pins(DEV_LOCK))


def test_the_set_up_installs_the_build_backend() -> None:
    assert set(project()["build-system"]["requires"]) <= set(
        project()["project"]["optional-dependencies"]["setup"]
    )


def test_the_development_lock_holds_the_runtime_lock() -> None:
    assert pins(RUNTIME_LOCK).items() <= pins(DEV_LOCK).items()


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "--find-links wheels",
        "x @ file:///x",
        "    # -r /root/x.txt",
    ],
)
def test_a_foreign_line_is_found(line: str) -> None:
    assert foreign_lines(f"a==1 \\\n    --hash=sha256:00\n{line}\n") == [line]


def fake_uv(directory: Path, text: str) -> str:
    program = directory / "uv"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


def test_writing_asks_for_hashes_and_no_address(tmp_path: Path) -> None:
    uv = fake_uv(
        tmp_path, 'echo "$@" >> asked; for w; do [ "$p" = --output-file ] && echo "a==1" >"$w"; p=$w; done'
    )
    written = write_locks(tmp_path, uv, upgrade=True)
    assert [path.name for path in written] == list(LOCKS)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 2
    assert all(
        word in line
        for line in asked
        for word in ("--generate-hashes", "--universal", "--no-emit-index-url", "--no-header", "--upgrade")
    )


def test_a_lock_with_an_address_is_an_error(tmp_path: Path) -> None:
    uv = fake_uv(
        tmp_path, 'for w; do [ "$p" = --output-file ] && echo "--index-url http://a/" >"$w"; p=$w; done'
    )
    with pytest.raises(OdinError, match="names an address"):
        write_locks(tmp_path, uv)


def test_what_uv_says_is_told(tmp_path: Path) -> None:
    with pytest.raises(OdinError, match="because of reasons"):
        write_locks(tmp_path, fake_uv(tmp_path, "echo because of reasons >&2; exit 1"))
