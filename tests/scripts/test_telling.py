"""A failed set-up is told by its likely cause, what to do, and where the full log is."""

from pathlib import Path

import pytest
from telling import explain, progress


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("error: failed to write\nNo space left on device (os error 28)", "the disk is full"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "differs"),
        ("Hash mismatch for `uv==0.1`", "differs"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "not trusted"),
        ("invalid peer certificate: UnknownIssuer", "not trusted"),
        ("NewConnectionError: Failed to establish a new connection: [Errno 111]", "cannot be reached"),
        ("Temporary failure in name resolution", "cannot be reached"),
        ("error: Request failed after 3 retries\n dns error", "cannot be reached"),
        ("ERROR: No matching distribution found for uv==0.13.9", "cannot be reached"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "cannot be written"),
    ],
)
def test_a_failure_is_explained(output: str, cause: str) -> None:
    told = explain(f"exit code 1 of: pip\n{output}", Path("/c/.task/setup.log"))
    assert cause in told
    assert "try: " in told
    assert "/c/.task/setup.log" in told


def test_an_unknown_failure_is_told_as_it_is() -> None:
    assert "exit code 9 of: uv" in explain("exit code 9 of: uv\nstrange", Path("log"))


def test_progress_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Working"):
        pass
    with pytest.raises(ValueError, match="no"), progress("Working"):
        raise ValueError("no")
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("Working … done in ")
    assert second.startswith("Working … failed after ")
