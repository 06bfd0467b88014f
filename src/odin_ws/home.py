"""Where the platform keeps its state: `.odin/<env>/` with run, logs and data.

One `Home` a checkout and environment; `ODIN_HOME` moves the root. Everything below it can be deleted
when nothing runs. It only names paths and makes directories; who writes a file there owns it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from odin_ws.errors import ExitCode, OdinError


@dataclass(frozen=True)
class Home:
    """The state directory of one environment (`local` or `gcp`)."""

    root: Path
    env: str = "local"

    @property
    def base(self) -> Path:
        """`<root>/<env>`, the parent of all state of this environment."""
        return self.root / self.env

    @property
    def run(self) -> Path:
        """Pid records, sockets, generated configuration: gone after `down`."""
        return self.base / "run"

    @property
    def logs(self) -> Path:
        """One file a service, JSON lines."""
        return self.base / "logs"

    @property
    def data(self) -> Path:
        """What `stop` keeps and `delete` removes: the embedded event log."""
        return self.base / "data"

    @property
    def log_file(self) -> Path:
        """The embedded event log's SQLite file."""
        return self.data / "eventlog.sqlite"

    def create(self) -> "Home":
        """Make the directories, new ones for this user only (mode 0700), and return self.

        Raises OdinError (PREFLIGHT) when that cannot be done.
        """
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            for directory in (self.root, self.base, self.run, self.logs, self.data):
                directory.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise OdinError(
                f"cannot make the state directory {error.filename}: {error.strerror}",
                remedy="make it writable, or name another place with ODIN_HOME",
                exit_code=ExitCode.PREFLIGHT,
            ) from None
        return self


def find_home(env: str = "local", environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Home:
    """The home in force: `ODIN_HOME` if set, else `.odin` beside the nearest `odin.toml`, else `./.odin`."""
    if moved := environ.get("ODIN_HOME"):
        return Home(Path(moved).expanduser().resolve(), env)
    here = (start or Path.cwd()).resolve()
    for directory in (here, *here.parents):
        if (directory / "odin.toml").is_file():
            return Home(directory / ".odin", env)
    return Home(here / ".odin", env)
