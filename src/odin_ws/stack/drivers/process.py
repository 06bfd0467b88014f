"""The process driver: services as plain processes under a supervisord of this home's own.

No root, no Docker. supervisord starts a crashed service again with growing pauses; the fifth crash in a
minute makes it `failed_to_start` (crashes.py). Only recorded processes are ever ended. Several commands may
observe at once; changes are serialised by the caller (lock.py).
"""

import contextlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack.drivers import supervisor_config
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.drivers.supervisor_client import NoSupervisor
from odin_ws.stack.drivers.supervisor_daemon import SupervisorDaemon
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
from odin_ws.stack.services import Service, stop_order
from odin_ws.stack.states import State

#: supervisord's states in our words; STARTING there lasts until the start counts as survived.
STATES = {
    "STOPPED": State.NOT_STARTED,
    "STARTING": State.STARTING,
    "RUNNING": State.RUNNING,
    "BACKOFF": State.RESTARTING,
    "STOPPING": State.STOPPING,
    "EXITED": State.RESTARTING,
    "FATAL": State.FAILED_TO_START,
    "UNKNOWN": State.EXITED,
}


class ProcessDriver:
    """Runs the services of one home under supervisord.

    Args:
        home: the state directory.
        settings: settings in force for what is started now.
        services: the table.
        directory: working directory of the services: where their configuration is.
        config_file: the configuration file they shall read, None where there is none.
    """

    title = "process"
    max_restarts = supervisor_config.RESTARTS

    def __init__(
        self,
        home: Home,
        settings: Settings,
        services: Sequence[Service],
        directory: Path,
        config_file: Path | None = None,
    ) -> None:
        self._home = home
        self._settings = settings
        self._services = services
        self._directory = directory
        self._config_file = config_file
        self._daemon = SupervisorDaemon(home)

    # What is going on

    def observe(self) -> Mapping[str, Observed]:
        """What each service is doing; all `not_started` while there is no supervisord."""
        try:
            infos = self._daemon.client().call("supervisor.getAllProcessInfo")
            restarts = self._daemon.client().call("odin.counts")
        except NoSupervisor as error:
            if self._daemon.runs():
                raise OdinError(
                    f"supervisord runs but does not answer: {error}",
                    remedy="./task down, then ./task up",
                    exit_code=ExitCode.UNHEALTHY,
                ) from error
            infos, restarts = [], {}
        known = {info["name"]: self._observed(info, restarts.get(info["name"], 0)) for info in infos}
        return {service.name: known.get(service.name, Observed()) for service in self._services}

    def _observed(self, info: dict[str, Any], restarts: int) -> Observed:
        name, state = info["name"], STATES[info["statename"]]
        pid = info["pid"] or None
        record = self._refreshed_record(name, pid)
        ended = restarts or state in (State.RESTARTING, State.FAILED_TO_START, State.EXITED)
        return Observed(
            state=state,
            pid=pid,
            started_at=record.started_at if pid and record else None,
            restarts=restarts,
            reason=self._last_end(name) if ended else "",
            settings=record.settings if record else None,
        )

    def _refreshed_record(self, name: str, pid: int | None) -> PidRecord | None:
        """The service's record, brought up to date when supervisord has started it again."""
        record = read_record(self._home, name)
        if pid is None or (record is not None and record.pid == pid):
            return record
        started = start_time(pid)
        if started is None:
            return record
        record = PidRecord(name, pid, started, record.settings if record else None)
        write_record(self._home, record)
        return record

    def _last_end(self, name: str) -> str:
        """How the service ended last, in supervisord's words."""
        log = self._home.logs / supervisor_config.LOG_NAME
        for line in reversed(tail_lines(log, 400)):
            if found := re.search(rf"exited: {re.escape(name)} \((.+?);", line):
                return found[1]
        return ""

    def log_files(self, service: Service) -> list[Path]:
        """The service's log files, oldest first."""
        newest = self._home.logs / f"{service.name}.log"
        rotated = [
            newest.with_name(f"{newest.name}.{n}") for n in range(supervisor_config.KEPT_LOG_FILES, 0, -1)
        ]
        return [path for path in (*rotated, newest) if path.exists()]

    # Starting

    def start(self, service: Service) -> None:
        """Start one service with the settings in force; does not wait for it."""
        self._ensure_daemon()
        self._write_start_file(service)
        client = self._daemon.client()
        with contextlib.suppress(Fault):
            client.call("supervisor.stopProcess", service.name, False)
        client.call("odin.begin", service.name)
        try:
            client.call("supervisor.startProcess", service.name, False)
        except Fault as fault:
            raise OdinError(
                f"{service.title} could not be started: {fault.faultString}",
                remedy=f"look into {self._home.logs / supervisor_config.LOG_NAME}",
                exit_code=ExitCode.START_FAILED,
            ) from fault
        self._record_start(service)

    def _record_start(self, service: Service) -> None:
        pid = self._daemon.client().call("supervisor.getProcessInfo", service.name)["pid"]
        started = start_time(pid) if pid else None
        if started is not None:
            settings = self._settings.model_dump(mode="json")
            write_record(self._home, PidRecord(service.name, pid, started, settings))

    def _write_start_file(self, service: Service) -> None:
        path = self._home.run / f"{service.name}.start.json"
        path.touch(mode=0o600)
        path.write_text(
            json.dumps(
                {
                    "argv": [sys.executable, *service.command],
                    "directory": str(self._directory),
                    "environment": self._environment(),
                }
            )
        )

    def _environment(self) -> dict[str, str]:
        given = {name: value for name, value in os.environ.items() if name.startswith("ODIN_")}
        given["ODIN_HOME"] = str(self._home.root)
        if self._config_file is not None:
            given["ODIN_CONFIG"] = str(self._config_file.resolve())
        return given

    def _ensure_daemon(self) -> None:
        config = supervisor_config.render(self._home, (s.name for s in self._services), self._settings.stack)
        if not self._daemon.answers():
            self.observe()
            self._end_orphans()
            self._daemon.start(config)
        elif self._config_text() != config:
            self._reload(config)

    def _config_text(self) -> str:
        try:
            return (self._home.run / supervisor_config.CONFIG_NAME).read_text()
        except OSError:
            return ""

    def _reload(self, config: str) -> None:
        """Bring a running supervisord to changed settings; what runs takes them at its next start."""
        (self._home.run / supervisor_config.CONFIG_NAME).write_text(config)
        client = self._daemon.client()
        added, changed, _ = client.call("supervisor.reloadConfig")[0]
        for name in changed:
            with contextlib.suppress(Fault):
                client.call("supervisor.removeProcessGroup", name)
                client.call("supervisor.addProcessGroup", name)
        for name in added:
            client.call("supervisor.addProcessGroup", name)

    # Ending

    def give_up(self, service: Service) -> None:
        """Stop starting a crashing service again: it becomes `failed_to_start`."""
        with contextlib.suppress(Fault, NoSupervisor):
            self._daemon.client().call("odin.give_up", service.name)

    def stop(self, services: Iterable[Service]) -> list[str]:
        """Stop these; those that need others end before them. Returns the names that were running."""
        if not self._daemon.answers():
            return self._end_orphans()
        stopped: list[str] = []
        for group in stop_order(list(services)):
            stopped += self._stop_group(group)
        return stopped

    def _stop_group(self, group: Sequence[Service]) -> list[str]:
        client = self._daemon.client()
        before = self.observe()
        for service in group:
            with contextlib.suppress(Fault):
                client.call("supervisor.stopProcess", service.name, False)
        self._await_stopped(group)
        for service in group:
            with contextlib.suppress(Fault):
                client.call("odin.forget", service.name)
            remove_record(self._home, service.name)
        return [s.name for s in group if before[s.name].state is not State.NOT_STARTED]

    def _await_stopped(self, group: Sequence[Service]) -> None:
        """supervisord kills what does not stop in time; beyond that something is badly wrong."""
        deadline = time.monotonic() + self._settings.stack.stop_timeout_seconds + 10
        while left := [s.title for s in group if self.observe()[s.name].pid is not None]:
            if time.monotonic() > deadline:
                raise OdinError(f"still running after being killed: {', '.join(left)}")
            time.sleep(0.03)

    def shut_down(self) -> None:
        """Stop everything, supervisord included, and remove the run directory."""
        if self._daemon.answers():
            self.stop(self._services)
        self._daemon.end(self._settings.stack.stop_timeout_seconds)
        self._end_orphans()
        shutil.rmtree(self._home.run, ignore_errors=True)

    def clean_orphans(self) -> list[str]:
        """End services whose supervisord died; returns their names. The caller holds the lock."""
        if not self._home.run.is_dir() or self._daemon.answers():
            return []
        return self._end_orphans()

    def has_orphans(self) -> bool:
        """Whether services run whose supervisord died."""
        return self._home.run.is_dir() and bool(self._orphans())

    def _orphans(self) -> list[PidRecord]:
        if self._daemon.runs():
            return []
        records = (read_record(self._home, service.name) for service in self._services)
        return [record for record in records if record is not None and is_alive(record)]

    def _end_orphans(self) -> list[str]:
        if self._daemon.runs():
            return []
        ended = end_processes(self._orphans(), self._settings.stack.stop_timeout_seconds)
        for service in self._services:
            remove_record(self._home, service.name)
        return [record.name for record in ended]
