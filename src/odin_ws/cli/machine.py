"""`odin doctor` and `odin clean`: look over this machine, and remove what can be made again."""

from typing import TYPE_CHECKING

import typer

from odin_ws.cli.options import Output
from odin_ws.cli.session import open_despite_problems

if TYPE_CHECKING:
    from odin_ws.stack.preflight import Finding

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


def register(root: typer.Typer) -> None:
    """Add this file's commands to the root command."""
    root.command()(doctor)
    root.command()(clean)


def doctor(output: Output = "table") -> None:
    """The preflight list and the versions in use; starts nothing. Exit 3 when something is in the way."""
    from odin_ws.cli.printing import Cell, Styled, print_json, print_table
    from odin_ws.errors import ExitCode
    from odin_ws.stack.preflight import check_all, versions

    stack, problems = open_despite_problems()
    observed = stack.driver.observe()
    running = [name for name, seen in observed.items() if seen.pid is not None]
    findings = [*check_all(stack.settings, stack.home, stack.services, running, problems), *versions()]
    bad = any(finding.status == "problem" for finding in findings)
    if output == "json":
        print_json({"ok": not bad, "running": running, "checks": [vars(finding) for finding in findings]})
    else:
        rows: list[list[Cell]] = [[f.check, Styled(f.status, _STYLES[f.status]), _words(f)] for f in findings]
        print_table(["check", "result", "detail"], rows)
    if bad:
        raise typer.Exit(int(ExitCode.PREFLIGHT))


def clean(output: Output = "table") -> None:
    """Remove caches, build results and, when nothing runs, logs. The event log's data stays."""
    from odin_ws.cli.printing import print_json, say
    from odin_ws.stack.cleaning import clean_up

    stack, _ = open_despite_problems()
    done = clean_up(stack)
    if output == "json":
        print_json({"removed": done.removed, "kept": done.kept})
        return
    for words in done.removed or ["nothing: there was nothing"]:
        say(f"removed {words}")
    for words in done.kept:
        say(f"kept {words}")


def _words(finding: "Finding") -> str:
    return f"{finding.text}; {finding.remedy}" if finding.remedy else finding.text
