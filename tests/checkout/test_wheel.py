"""Building the wheel."""

import zipfile
from pathlib import Path

import pytest

from odin_ws.checkout.wheel import build_wheel
from odin_ws.errors import OdinError

PROJECT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "tiny"
version = "1.2"
description = "d"
requires-python = ">=3.11"
"""


def test_a_wheel_is_built(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "tiny.py").write_text('"""d"""\n')
    wheel = build_wheel(tmp_path)
    assert wheel == tmp_path / "dist" / "tiny-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        assert "tiny.py" in archive.namelist()


def test_the_backends_words_are_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    with pytest.raises(OdinError, match=r"could not be built: .*tiny"):
        build_wheel(tmp_path)
