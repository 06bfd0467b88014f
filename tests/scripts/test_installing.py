"""How uv and pip are called: with what pip is told about indexes, and without what would lead them astray."""

import sys
from pathlib import Path

import installing
import pytest


def test_pip_settings_come_in_pips_own_order() -> None:
    listing = (
        ":env:.find-links='/wheels'\nglobal.cert='/a.pem'\nglobal.index-url='http://one/'\n"
        "install.index-url='http://two/'\nglobal.broken=not a literal\n"
    )
    assert installing.pip_settings(listing) == {
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
    environment = installing.uv_environment(pip, {"HOME": "/h", "VIRTUAL_ENV": "/v"})
    assert environment == {
        "HOME": "/h",
        "UV_DEFAULT_INDEX": "http://a/",
        "UV_INDEX": "http://b/ http://c/",
        "UV_FIND_LINKS": "/w,/x",
        "SSL_CERT_FILE": "c",
    }


def test_what_is_said_to_uv_itself_wins() -> None:
    environment = installing.uv_environment(
        {"index-url": "http://a/", "cert": "c"}, {"UV_INDEX_URL": "http://mine/", "SSL_CERT_FILE": "mine"}
    )
    assert environment == {"UV_INDEX_URL": "http://mine/", "SSL_CERT_FILE": "mine"}


def test_pip_is_kept_from_other_places() -> None:
    environ = {"PIP_TARGET": "/t", "PIP_USER": "1", "PYTHONPATH": "/p", "PIP_INDEX_URL": "http://a/"}
    _, environment = installing.pip_for(Path("/v/bin/python"), environ)
    assert not {"PIP_TARGET", "PIP_USER"} & set(environment)
    assert environment.get("PYTHONPATH") != "/p"
    assert environment["PIP_INDEX_URL"] == "http://a/"


def test_without_the_bundled_wheel_this_pythons_pip_works_on_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installing, "bundled_pip", lambda: None)
    command, environment = installing.pip_for(Path("/v/bin/python"), {})
    assert command == [sys.executable, "-m", "pip", "--python", "/v/bin/python"]
    assert "PYTHONPATH" not in environment


def test_the_bundled_wheel_is_found() -> None:
    wheel = installing.bundled_pip()
    assert wheel is None or wheel.name.startswith("pip-")


def test_a_pin_is_cut_out_of_the_lock_with_its_hashes() -> None:
    pin = "uv==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    assert installing.pin_of("uv", f"attrs==1 \\\n    --hash=sha256:aa\n{pin}uvloop==3\n") == pin
    with pytest.raises(installing.Failed):
        installing.pin_of("uv", "uvloop==3\n")
