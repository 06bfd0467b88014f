"""start, stop, restart, rebuild, delete: what the verbs do with a stack, whatever the driver.

Each takes the lock, so two commands never change a stack at once, and each can be called again after an
interruption. Reading verbs are health.py, logs.py and stats.py; the workflows made of these are deploy.py.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from odin_ws.errors import ExitCode, OdinError
from odin_ws.stack import preflight
from odin_ws.stack.lock import hold_lock, hold_lock_if_free
from odin_ws.stack.services import Service, dependents, with_needs
from odin_ws.stack.stack import Stack, Tell
from odin_ws.stack.states import ALIVE, State
from odin_ws.stack.waiting import OnChange, bring_up


def start(
    stack: Stack,
    services: Iterable[Service],
    timeout_seconds: float,
    tell: Tell,
    on_change: OnChange,
    config_problems: Sequence[str] = (),
) -> None:
    """Preflight, then start these and what they need, and wait until all are healthy."""
    wanted = with_needs(stack.services, services)
    with hold_lock(stack.home, timeout_seconds, tell):
        _tell_orphans(stack, tell)
        _check(stack, wanted, tell, config_problems)
        _tell_other_settings(stack, wanted, tell)
        bring_up(stack, wanted, timeout_seconds, on_change)


def stop(stack: Stack, services: Iterable[Service], timeout_seconds: float, tell: Tell) -> list[str]:
    """Stop these; returns the names that were running. Data stays."""
    if not stack.home.run.is_dir():
        return []
    with hold_lock(stack.home, timeout_seconds, tell):
        _tell_orphans(stack, tell)
        return stack.driver.stop(services)


def restart(
    stack: Stack, services: Sequence[Service], timeout_seconds: float, tell: Tell, on_change: OnChange
) -> None:
    """Stop and start these, with the settings in force now."""
    wanted = with_needs(stack.services, services)
    with hold_lock(stack.home, timeout_seconds, tell):
        _tell_orphans(stack, tell)
        tell("stopping " + ", ".join(service.title for service in services))
        stack.driver.stop(services)
        _check(stack, wanted, tell)
        bring_up(stack, wanted, timeout_seconds, on_change)


def rebuild(
    stack: Stack, services: Sequence[Service], timeout_seconds: float, tell: Tell, on_change: OnChange
) -> None:
    """Reinstall what changed, then restart: services run the code as it is now."""
    reinstall(Path(__file__).resolve().parents[3], tell)
    restart(stack, [s for s in services if s.buildable] or services, timeout_seconds, tell, on_change)


def delete(stack: Stack, services: Sequence[Service], timeout_seconds: float, tell: Tell) -> list[str]:
    """Stop these and remove their logs, records and data; returns what was removed, in words.

    Services that need one whose data goes are stopped too: they hold its file open.
    """
    if not stack.home.base.is_dir():
        return []
    with hold_lock(stack.home, timeout_seconds, tell):
        if set(services) == set(stack.services):
            return _delete_everything(stack)
        return _delete_some(stack, services)


def recreate(
    stack: Stack, services: Sequence[Service], timeout_seconds: float, tell: Tell, on_change: OnChange
) -> list[str]:
    """Delete with data and start again, with the services that ran before; returns what was removed."""
    before = stack.driver.observe()
    ran = [s for s in stack.services if before[s.name].state in (*ALIVE, State.RESTARTING)]
    removed = delete(stack, services, timeout_seconds, tell)
    start(stack, [*services, *ran], timeout_seconds, tell, on_change)
    return removed


def down(stack: Stack, timeout_seconds: float, tell: Tell) -> list[str]:
    """Stop everything, the driver's own processes included; returns the names that were running."""
    if not stack.home.run.is_dir():
        return []
    with hold_lock(stack.home, timeout_seconds, tell):
        _tell_orphans(stack, tell)
        stopped = _started(stack, tell)
        stack.driver.shut_down()
        return stopped


def reinstall(checkout: Path, tell: Tell) -> None:
    """Bring `.venv` up to date when this runs from a checkout's; its launcher knows what changed.

    Code needs nothing: the checkout is installed editable. Raises OdinError (INTERNAL) when it fails.
    """
    launcher = checkout / "odin"
    if not launcher.is_file() or Path(sys.prefix).resolve() != (checkout / ".venv").resolve():
        return
    tell("bringing .venv up to date")
    done = subprocess.run([launcher, "--version"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise OdinError(
            "the project could not be installed again (see above); services were left as they were",
            remedy="correct pyproject.toml, then try again",
            exit_code=ExitCode.START_FAILED,
        )


def _started(stack: Stack, tell: Tell) -> list[str]:
    """Names of what is not simply not started; all, when the driver hangs: `down` must work even then."""
    try:
        observed = stack.driver.observe()
    except OdinError as error:
        tell(f"{error.message}; ending it all the same")
        return [service.name for service in stack.services]
    return [s.name for s in stack.services if observed[s.name].state is not State.NOT_STARTED]


def _check(stack: Stack, wanted: Sequence[Service], tell: Tell, config_problems: Sequence[str] = ()) -> None:
    observed = stack.driver.observe()
    running = [s.name for s in wanted if observed[s.name].pid is not None]
    if len(running) == len(wanted) and not config_problems:
        return
    findings = preflight.check_all(stack.settings, stack.home, wanted, running, config_problems)
    for finding in findings:
        if finding.status == "warning":
            tell(f"warning: {finding.check}: {finding.text}; {finding.remedy}")
    preflight.require(findings)


def sweep_orphans(stack: Stack, tell: Tell) -> None:
    """For commands that otherwise only read: end orphans, unless another command changes the stack now."""
    if stack.driver.has_orphans():
        with hold_lock_if_free(stack.home) as held:
            if held:
                _tell_orphans(stack, tell)


def _tell_orphans(stack: Stack, tell: Tell) -> None:
    if ended := stack.driver.clean_orphans():
        tell(f"ended what a supervisord that died had left running: {', '.join(ended)}")


def _tell_other_settings(stack: Stack, wanted: Sequence[Service], tell: Tell) -> None:
    """Say when a service that runs already was started with other settings than those in force."""
    observed = stack.driver.observe()
    now = stack.settings.model_dump(mode="json")
    for service in wanted:
        then = observed[service.name].settings
        if observed[service.name].pid is None or then is None or then == now:
            continue
        if changed := changed_settings(then, now, service.reads):
            tell(
                f"{service.title} runs with other settings: {', '.join(changed[:4])}; "
                f"to apply them: ./task local:restart:{service.name}"
            )


def changed_settings(then: Mapping[str, Any], now: Mapping[str, Any], sections: Iterable[str]) -> list[str]:
    """What differs between two dumps of settings, in words."""
    return [
        f"{section}.{key} is {then.get(section, {}).get(key)}, not {now.get(section, {}).get(key)}"
        for section in sections
        for key in {**then.get(section, {}), **now.get(section, {})}
        if then.get(section, {}).get(key) != now.get(section, {}).get(key)
    ]


def _delete_some(stack: Stack, services: Sequence[Service]) -> list[str]:
    keepers = [service for service in services if service.keeps_data]
    stopped_too = [s for s in dependents(stack.services, keepers) if s not in services]
    stopped = stack.driver.stop([*services, *stopped_too])
    removed = [f"{name} (stopped)" for name in stopped]
    for service in services:
        for path in (*stack.driver.log_files(service), *stack.home.run.glob(f"{service.name}.*.json")):
            path.unlink(missing_ok=True)
        removed.append(f"logs of {service.title}")
    if keepers and stack.home.data.is_dir():
        removed.append(_remove_tree(stack.home.data))
    return removed


def _delete_everything(stack: Stack) -> list[str]:
    stack.driver.shut_down()
    removed = [_remove_tree(stack.home.base)]
    if stack.home.root.is_dir() and not any(stack.home.root.iterdir()):
        stack.home.root.rmdir()
    return removed


def _remove_tree(path: Path) -> str:
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    shutil.rmtree(path)
    return f"{path} ({size / 1e6:.1f} MB)"
