"""Writes supervisord's configuration of one home. Pure text, but for the place of the socket.

Everything that can hold odd characters stays out of the file: paths are relative to the run directory,
where supervisord is started, the interpreter comes from the environment, and the services' commands stand
in start files (launch.py). So no path needs `%` or quotes escaped; the two paths that must be absolute are
escaped here.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import StackSettings

#: A unix socket's path holds 104 bytes on some systems; supervisord binds a name some bytes longer first.
MAX_SOCKET_BYTES = 90
#: A start counts as survived after this time; earlier ends are spaced out (crashes.py).
STARTED_AFTER_SECONDS = 12
RESTARTS = 4
KEPT_LOG_FILES = 3
CONFIG_NAME = "supervisord.conf"
SOCKET_NAME = "supervisor.sock"
LOG_NAME = "supervisord.log"


def render(home: Home, names: Iterable[str], settings: StackSettings) -> str:
    """The configuration for services of these names."""
    head = _HEAD.format(socket=_escape(str(socket_path(home))), log=LOG_NAME)
    return head + "".join(_program(name, settings) for name in names)


def socket_path(home: Home) -> Path:
    """Where supervisord listens: in the run directory, or in a short private one when that is too long."""
    path = home.run / SOCKET_NAME
    if len(os.fsencode(path)) <= MAX_SOCKET_BYTES and not _breaks_config(str(path)):
        return path
    return short_directory(home) / SOCKET_NAME


def short_directory(home: Home) -> Path:
    """A directory for this home's socket with a short name.

    It must be the same at every call, from a terminal or from cron: so no TMPDIR, no XDG_RUNTIME_DIR.
    """
    key = hashlib.sha256(os.fsencode(home.base)).hexdigest()[:12]
    return Path("/tmp") / f"odin-{os.getuid()}-{key}"


def prepare_socket_directory(home: Home) -> None:
    """Make the socket's directory, private to this user; raises OdinError when somebody else owns it."""
    directory = socket_path(home).parent
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = directory.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise OdinError(
            f"{directory} must belong to you alone (mode 0700) to hold supervisord's socket",
            remedy=f"remove it, or set ODIN_HOME to a path under {MAX_SOCKET_BYTES - 30} bytes",
            exit_code=ExitCode.PREFLIGHT,
        )


def _program(name: str, settings: StackSettings) -> str:
    return _PROGRAM.format(
        name=name,
        started_after=STARTED_AFTER_SECONDS,
        restarts=RESTARTS,
        stop_seconds=max(1, round(settings.stop_timeout_seconds)),
        log_bytes=max(65536, int(settings.log_max_mb * 1_000_000)),
        log_files=KEPT_LOG_FILES,
    )


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _breaks_config(text: str) -> bool:
    """Whether supervisord's parser would cut a value at a comment sign, or a line at its end."""
    return any(sign in text for sign in (";", "#", "\n"))


_HEAD = """\
; Written by odin at each start of supervisord; changes here are lost.
[unix_http_server]
file={socket}
chmod=0600

[supervisord]
logfile=../logs/{log}
logfile_maxbytes=5MB
logfile_backups=1
pidfile=supervisord.pid
identifier=odin
nocleanup=true
minfds=64
minprocs=16
umask=077

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[rpcinterface:odin]
supervisor.rpcinterface_factory=odin_ws.stack.drivers.crashes:make_interface
"""

_PROGRAM = """
[program:{name}]
command=%(ENV_SUPERVISED_PYTHON)s -m odin_ws.stack.drivers.launch {name}.start.json
autostart=false
autorestart=true
startsecs={started_after}
startretries={restarts}
stopsignal=TERM
stopwaitsecs={stop_seconds}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile=../logs/{name}.log
stdout_logfile_maxbytes={log_bytes}
stdout_logfile_backups={log_files}
"""
