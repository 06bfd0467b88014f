"""The set-up of .venv: what it takes from pip, how it tells failures, and that a broken one is never used."""

import threading
from pathlib import Path
from typing import TextIO

import make_venv
import pytest
from installing import Failed
from make_venv import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A checkout with locks and a complete .venv made from them."""
    place = Place(tmp_path)
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text(f"{name} 1\n")
    place.scratch.mkdir()
    complete(place, ["pyproject.toml", "requirements.lock"])
    return place


def complete(place: Place, names: list[str]) -> None:
    (place.venv / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("python", "odin", "task"):
        (place.venv / "bin" / name).touch(mode=0o755)
    place.made_from.mkdir(exist_ok=True)
    for name in names:
        (place.made_from / name).write_bytes((place.root / name).read_bytes())
    (place.made_from / "place").write_text(f"{place.root}\n")


class FakeInstaller:
    """Stands for the installer: records what it was asked, completes .venv, or fails."""

    asked: list[str | None]

    def __init__(self, fails: BaseException | None = None) -> None:
        self.asked = []
        self.fails = fails

    def __call__(self, root: Path, log: TextIO) -> "FakeInstaller":
        self.venv = root / ".venv"
        return self

    def install(self, lock: str | None) -> None:
        self.asked.append(lock)
        if self.fails:
            raise self.fails
        (self.venv / "bin").mkdir(parents=True, exist_ok=True)
        for name in ("python", "odin", "task"):
            if not (self.venv / "bin" / name).exists():
                (self.venv / "bin" / name).touch(mode=0o755)


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> FakeInstaller:
    fake = FakeInstaller()
    monkeypatch.setattr(make_venv, "Installer", fake)
    return fake


def test_a_complete_venv_is_current(place: Place) -> None:
    assert make_venv.is_current(place, wants_dev=False)
    assert not make_venv.is_current(place, wants_dev=True)


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.lock"])
def test_a_changed_source_makes_it_old(place: Place, changed: str) -> None:
    (place.root / changed).write_text("other\n")
    assert not make_venv.is_current(place, wants_dev=False)


def test_a_moved_checkout_makes_it_old(place: Place) -> None:
    (place.made_from / "place").write_text("/elsewhere\n")
    assert not make_venv.is_current(place, wants_dev=False)


def test_a_vanished_interpreter_makes_it_old(place: Place) -> None:
    (place.venv / "bin" / "python").unlink()
    (place.venv / "bin" / "python").symlink_to("/nowhere/python3")
    assert not make_venv.is_current(place, wants_dev=False)


def test_the_development_packages_stay_once_installed(place: Place) -> None:
    complete(place, ["requirements-dev.lock"])
    assert make_venv.sources(place, wants_dev=False)[-1] == "requirements-dev.lock"
    (place.root / "requirements-dev.lock").write_text("newer\n")
    assert not make_venv.is_current(place, wants_dev=False)


def test_a_changed_project_installs_no_packages(place: Place, installer: FakeInstaller) -> None:
    (place.root / "pyproject.toml").write_text("other\n")
    make_venv.set_up(place, wants_dev=False)
    assert installer.asked == [None]
    assert make_venv.is_current(place, wants_dev=False)


def test_check_adds_the_development_lock_to_a_complete_venv(place: Place, installer: FakeInstaller) -> None:
    keep = place.venv / "keep"
    keep.touch()
    make_venv.set_up(place, wants_dev=True)
    assert installer.asked == ["requirements-dev.lock"]
    assert keep.exists()
    assert make_venv.is_current(place, wants_dev=True)


def test_a_moved_venv_is_made_afresh(place: Place, installer: FakeInstaller) -> None:
    (place.made_from / "place").write_text("/elsewhere\n")
    relic = place.venv / "relic"
    relic.touch()
    make_venv.set_up(place, wants_dev=False)
    assert installer.asked == ["requirements.lock"]
    assert not relic.exists()
    assert make_venv.is_current(place, wants_dev=False)


@pytest.mark.parametrize("failure", [Failed("exit code 1"), KeyboardInterrupt()])
def test_an_interrupted_set_up_is_never_taken_for_complete(
    place: Place, installer: FakeInstaller, failure: BaseException
) -> None:
    (place.root / "requirements.lock").write_text("newer\n")
    installer.fails = failure
    with pytest.raises(type(failure)):
        make_venv.set_up(place, wants_dev=False)
    assert not make_venv.stands_here(place)


def test_a_full_disk_is_refused_before_anything_is_touched(
    place: Place, installer: FakeInstaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.root / "requirements.lock").write_text("newer\n")
    monkeypatch.setattr(make_venv, "NEEDED_DISK_MB", 10**12)
    with pytest.raises(Failed, match="No space left"):
        make_venv.set_up(place, wants_dev=False)
    assert make_venv.stands_here(place)


def test_only_one_sets_up_at_a_time(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def second() -> None:
        with make_venv.only_one(place):
            order.append("second")

    thread = threading.Thread(target=second)
    with make_venv.only_one(place):
        thread.start()
        while "waiting for it" not in capsys.readouterr().err:
            thread.join(0.01)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
