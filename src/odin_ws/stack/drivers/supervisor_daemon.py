"""supervisord itself: started detached for one home, found again, ended, and its remains swept up.

It holds no terminal and no pipe of the command that started it (`up | cat` ends), and its own record with
pid and start time tells whether it still runs after a crash or a reboot. What services do is process.py's.
"""

import contextlib
import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.stack.drivers import supervisor_config
from odin_ws.stack.drivers.supervisor_client import NoSupervisor, SupervisorClient
from odin_ws.stack.logs import tail_lines
from odin_ws.stack.records import (
    PidRecord,
    end_processes,
    is_alive,
    read_record,
    remove_record,
    start_time,
    write_record,
)

NAME = "supervisord"
START_SECONDS = 15.0
_ARGUMENTS = ("-m", "supervisor.supervisord", "-n", "-s", "-c", supervisor_config.CONFIG_NAME)
#: Descriptors worth having for services, where the system's hard limit allows.
WANTED_FILES = 65_536


class SupervisorDaemon:
    """supervisord of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def client(self) -> SupervisorClient:
        """A client for its socket, whether or not somebody listens."""
        return SupervisorClient(supervisor_config.socket_path(self._home))

    def answers(self) -> bool:
        """Whether it runs and answers now."""
        try:
            self.client().call("supervisor.getState")
        except NoSupervisor:
            return False
        return True

    def runs(self) -> bool:
        """Whether the recorded process is alive, answering or not."""
        return is_alive(read_record(self._home, NAME))

    def start(self, config: str) -> None:
        """Start it and wait until it answers; raises OdinError (START_FAILED) with what it said."""
        self._home.create()
        self._sweep_files()
        supervisor_config.prepare_socket_directory(self._home)
        (self._home.run / supervisor_config.CONFIG_NAME).write_text(config)
        _raise_file_limit()
        with interrupts_later():
            self._process = self._spawn()
            started = start_time(self._process.pid) or time.time()
            write_record(self._home, PidRecord(NAME, self._process.pid, started))
        self._await_answer()

    def end(self, timeout_seconds: float) -> None:
        """Ask it to shut down, insist if it does not, and remove its socket and files."""
        record = read_record(self._home, NAME)
        deadline = time.monotonic() + timeout_seconds
        try:
            self.client().call("supervisor.shutdown")
        except NoSupervisor:
            deadline = 0.0
        while is_alive(record) and time.monotonic() < deadline:
            time.sleep(0.03)
        if record is not None:
            end_processes([record], 2.0)
        if self._process is not None:
            self._process.wait()
        self._sweep_files()
        remove_record(self._home, NAME)

    def _spawn(self) -> subprocess.Popen[bytes]:
        """A new session, no inherited descriptors, every stream its own."""
        with (self._home.logs / "supervisord.err").open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, *_ARGUMENTS],
                cwd=self._home.run,
                env={**os.environ, "SUPERVISED_PYTHON": shlex.quote(sys.executable)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
                close_fds=True,
            )

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise OdinError(
                    "supervisord, which runs the services, did not start: " + self._last_words(),
                    remedy=f"look into {self._home.logs / supervisor_config.LOG_NAME}",
                    exit_code=ExitCode.START_FAILED,
                )
            time.sleep(0.02)

    def _last_words(self) -> str:
        for name in ("supervisord.err", supervisor_config.LOG_NAME):
            if lines := tail_lines(self._home.logs / name, 2):
                return "; ".join(lines)
        return "it said nothing"

    def _sweep_files(self) -> None:
        """Remove socket, pid file and configuration of a supervisord that is gone."""
        socket = supervisor_config.socket_path(self._home)
        for path in (socket, *self._home.run.glob("supervisor*")):
            if path.name != f"{NAME}.pid.json":
                path.unlink(missing_ok=True)
        if socket.parent != self._home.run:
            with contextlib.suppress(OSError):
                socket.parent.rmdir()


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Hold back Ctrl-C for a moment, so that nothing is started without being recorded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt


def _raise_file_limit() -> None:
    """Give services as many descriptors as the system allows; a shell's soft limit is often 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
