"""Builds the project's wheel into `dist/` with flit_core, the build backend that pyproject.toml names."""

import subprocess
import sys
from pathlib import Path

from odin_ws.errors import OdinError


def build_wheel(checkout: Path) -> Path:
    """Build and return the wheel's path; raises OdinError with the backend's own words."""
    dist = checkout / "dist"
    done = subprocess.run(
        [sys.executable, "-m", "flit_core.wheel", "--outdir", str(dist), str(checkout)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise OdinError(
            f"the wheel could not be built: {done.stderr.strip().splitlines()[-1]}",
            remedy="rm -rf .venv && ./task shared:build:wheel",
        )
    return max(dist.glob("*.whl"), key=lambda path: path.stat().st_mtime)
