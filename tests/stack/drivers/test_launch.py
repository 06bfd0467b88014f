"""Becoming a service: the command, the directory and the environment of the start file."""

import json
import subprocess
import sys

from odin_ws.stack.drivers.launch import child_environment


def test_only_the_given_odin_variables_reach_the_service():
    inherited = {"PATH": "/bin", "ODIN_HOME": "/old", "SUPERVISOR_ENABLED": "1", "SUPERVISED_PYTHON": "x"}
    assert child_environment(inherited, {"ODIN_GATEWAY_PORT": "1"}) == {
        "PATH": "/bin",
        "ODIN_GATEWAY_PORT": "1",
    }


def test_it_becomes_the_command_with_odd_characters_and_all(tmp_path):
    place = tmp_path / "a b%c;d'é"
    place.mkdir()
    script = "import os, sys; print(os.getcwd(), sys.argv[1:], os.environ['ODIN_X'])"
    start = tmp_path / "ws.start.json"
    start.write_text(
        json.dumps(
            {
                "argv": [sys.executable, "-c", script, "%(x)s; 'q'"],
                "directory": str(place),
                "environment": {"ODIN_X": "100% \"sure\"; 'yes'"},
            }
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "odin_ws.stack.drivers.launch", start],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{place} {[start_argument()]} 100% \"sure\"; 'yes'"


def start_argument():
    return "%(x)s; 'q'"
