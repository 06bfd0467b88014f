"""Becomes a service: reads its start file and replaces itself by the command in it.

supervisord starts `python -m odin_ws.stack.drivers.launch NAME.start.json`. The file holds argv, working
directory and ODIN_* variables as they were at the last explicit start, so that paths and values need no
quoting in supervisord's configuration and a service restarted by itself keeps the settings given to `up`.
"""

import json
import os
import sys
from pathlib import Path


def main(argv: list[str]) -> None:
    """Replace this process by the service."""
    start = json.loads(Path(argv[1]).read_text())
    os.chdir(start["directory"])
    os.execve(start["argv"][0], start["argv"], child_environment(dict(os.environ), start["environment"]))


def child_environment(inherited: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """The inherited environment without supervisord's and ODIN_* variables, and with the given ones."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("ODIN_", "SUPERVISOR_", "SUPERVISED_"))
    }
    return {**kept, **given}


if __name__ == "__main__":
    main(sys.argv)
