"""The set-up of .venv: what it takes from pip, how it tells failures, and that a broken one is never used."""

import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_venv", ROOT / "scripts" / "make_venv.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_venv"] = module
    spec.loader.exec_module(module)
    return module


make_venv = load()


@pytest.fixture
def place(tmp_path: Path):
    """A checkout with locks and a complete .venv made from them."""
    place = make_venv.Place(tmp_path)
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text(f"{name} 1\n")
    place.scratch.mkdir()
    complete(place, ["pyproject.toml", "requirements.lock"])
    return place


def complete(place, names: list[str]) -> None:
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

    def __call__(self, place, log):
        self.place = place
        return self

    def install(self, lock: str | None) -> None:
        self.asked.append(lock)
        if self.fails:
            raise self.fails
        (self.place.venv / "bin").mkdir(parents=True, exist_ok=True)
        for name in ("python", "odin", "task"):
            if not (self.place.venv / "bin" / name).exists():
                (self.place.venv / "bin" / name).touch(mode=0o755)


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> FakeInstaller:
    fake = FakeInstaller()
    monkeypatch.setattr(make_venv, "Installer", fake)
    return fake


def test_a_complete_venv_is_current(place) -> None:
    assert make_venv.is_current(place, wants_dev=False)
    assert not make_venv.is_current(place, wants_dev=True)


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.lock"])
def test_a_changed_source_makes_it_old(place, changed: str) -> None:
    (place.root / changed).write_text("other\n")
    assert not make_venv.is_current(place, wants_dev=False)


def test_a_moved_checkout_makes_it_old(place) -> None:
    (place.made_from / "place").write_text("/elsewhere\n")
    assert not make_venv.is_current(place, wants_dev=False)


def test_a_vanished_interpreter_makes_it_old(place) -> None:
    (place.venv / "bin" / "python").unlink()
    (place.venv / "bin" / "python").symlink_to("/nowhere/python3")
    assert not make_venv.is_current(place, wants_dev=False)


def test_the_development_packages_stay_once_installed(place) -> None:
    complete(place, ["requirements-dev.lock"])
    assert make_venv.sources(place, wants_dev=False)[-1] == "requirements-dev.lock"
    (place.root / "requirements-dev.lock").write_text("newer\n")
    assert not make_venv.is_current(place, wants_dev=False)


def test_a_changed_project_installs_no_packages(place, installer: FakeInstaller) -> None:
    (place.root / "pyproject.toml").write_text("other\n")
    make_venv.set_up(place, wants_dev=False)
    assert installer.asked == [None]
    assert make_venv.is_current(place, wants_dev=False)


def test_check_adds_the_development_lock_to_a_complete_venv(place, installer: FakeInstaller) -> None:
    keep = place.venv / "keep"
    keep.touch()
    make_venv.set_up(place, wants_dev=True)
    assert installer.asked == ["requirements-dev.lock"]
    assert keep.exists()
    assert make_venv.is_current(place, wants_dev=True)


def test_a_moved_venv_is_made_afresh(place, installer: FakeInstaller) -> None:
    (place.made_from / "place").write_text("/elsewhere\n")
    relic = place.venv / "relic"
    relic.touch()
    make_venv.set_up(place, wants_dev=False)
    assert installer.asked == ["requirements.lock"]
    assert not relic.exists()
    assert make_venv.is_current(place, wants_dev=False)


@pytest.mark.parametrize("failure", [make_venv.Failed("exit code 1"), KeyboardInterrupt()])
def test_an_interrupted_set_up_is_never_taken_for_complete(
    place, installer: FakeInstaller, failure: BaseException
) -> None:
    (place.root / "requirements.lock").write_text("newer\n")
    installer.fails = failure
    with pytest.raises(type(failure)):
        make_venv.set_up(place, wants_dev=False)
    assert not make_venv.stands_here(place)


def test_a_full_disk_is_refused_before_anything_is_touched(
    place, installer: FakeInstaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.root / "requirements.lock").write_text("newer\n")
    monkeypatch.setattr(make_venv, "NEEDED_DISK_MB", 10**12)
    with pytest.raises(make_venv.Failed, match="No space left"):
        make_venv.set_up(place, wants_dev=False)
    assert make_venv.stands_here(place)


def test_only_one_sets_up_at_a_time(place, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_pip_settings_come_in_pips_own_order() -> None:
    listing = (
        ":env:.find-links='/wheels'\nglobal.cert='/a.pem'\nglobal.index-url='http://one/'\n"
        "install.index-url='http://two/'\nglobal.broken=not a literal\n"
    )
    assert make_venv.pip_settings(listing) == {
        "find-links": "/wheels",
        "cert": "/a.pem",
        "index-url": "http://two/",
    }


def test_uv_hears_what_pip_is_told() -> None:
    pip = {
        "index-url": "http://a/",
        "extra-index-url": "http://b/\nhttp://c/",
        "find-links": "/w\n/x",
        "cert": "c",
    }
    environment = make_venv.uv_environment(pip, {"HOME": "/h", "VIRTUAL_ENV": "/v"})
    assert environment == {
        "HOME": "/h",
        "UV_DEFAULT_INDEX": "http://a/",
        "UV_INDEX": "http://b/ http://c/",
        "UV_FIND_LINKS": "/w,/x",
        "SSL_CERT_FILE": "c",
    }


def test_what_is_said_to_uv_itself_wins() -> None:
    environment = make_venv.uv_environment(
        {"index-url": "http://a/", "cert": "c"}, {"UV_INDEX_URL": "http://mine/", "SSL_CERT_FILE": "mine"}
    )
    assert environment == {"UV_INDEX_URL": "http://mine/", "SSL_CERT_FILE": "mine"}


def test_pip_is_kept_from_other_places() -> None:
    environ = {"PIP_TARGET": "/t", "PIP_USER": "1", "PYTHONPATH": "/p", "PIP_INDEX_URL": "http://a/"}
    _, environment = make_venv.pip_for(Path("/v/bin/python"), environ)
    assert not {"PIP_TARGET", "PIP_USER"} & set(environment)
    assert environment.get("PYTHONPATH") != "/p"
    assert environment["PIP_INDEX_URL"] == "http://a/"


def test_without_the_bundled_wheel_this_pythons_pip_works_on_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(make_venv, "bundled_pip", lambda: None)
    command, environment = make_venv.pip_for(Path("/v/bin/python"), {})
    assert command == [sys.executable, "-m", "pip", "--python", "/v/bin/python"]
    assert "PYTHONPATH" not in environment


def test_the_bundled_wheel_is_found() -> None:
    wheel = make_venv.bundled_pip()
    assert wheel is None or wheel.name.startswith("pip-")


def test_a_pin_is_cut_out_of_the_lock_with_its_hashes() -> None:
    pin = "uv==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    assert make_venv.pin_of("uv", f"attrs==1 \\\n    --hash=sha256:aa\n{pin}uvloop==3\n") == pin
    with pytest.raises(make_venv.Failed):
        make_venv.pin_of("uv", "uvloop==3\n")


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
    told = make_venv.explain(f"exit code 1 of: pip\n{output}", Path("/c/.task/setup.log"))
    assert cause in told
    assert "try: " in told
    assert "/c/.task/setup.log" in told


def test_an_unknown_failure_is_told_as_it_is() -> None:
    assert "exit code 9 of: uv" in make_venv.explain("exit code 9 of: uv\nstrange", Path("log"))
