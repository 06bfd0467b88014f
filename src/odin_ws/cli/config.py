"""`odin config …`: show the values in force and where they came from, check them all, print file and docs."""

from typing import TYPE_CHECKING, Any

import typer

from odin_ws.cli.options import Output

if TYPE_CHECKING:
    from odin_ws.cli.printing import Cell
    from odin_ws.config import Config, ConfigInvalid

app = typer.Typer(no_args_is_help=True, help="The configuration: what is in force, and whether it is valid.")

_LONGEST_VALUE = 40


@app.command()
def show(
    prefix: str = typer.Argument("", metavar="[SECTION[.KEY]]", help="Only keys that begin so: gateway."),
    changed: bool = typer.Option(False, "--changed", help="Only what is not at its default."),
    long: bool = typer.Option(
        False, "--long", "-l", help="With the meaning of each setting, values in full."
    ),
    output: Output = "table",
) -> None:
    """Every setting with its value and where it came from."""
    from odin_ws.cli.context import current
    from odin_ws.cli.printing import print_json

    config = current().config
    settings = _settings_of(config, prefix, changed)
    topics = _topics_of(config, prefix, changed)
    if not (settings or topics or changed):
        _refuse_prefix(prefix)
    if output == "json":
        file = str(config.file) if config.file else None
        print_json({"file": file, "settings": settings, "topics": topics})
        return
    if settings or topics:
        _print(settings, topics, long)
    else:
        typer.echo("everything is at its default", err=True)


@app.command()
def check(output: Output = "table") -> None:
    """Report every error of odin.toml and ODIN_* with its place; exit 2 when there is one."""
    from odin_ws.cli.context import current
    from odin_ws.cli.printing import print_json
    from odin_ws.config import ConfigInvalid

    try:
        config = current().config
    except ConfigInvalid as error:
        if output != "json":
            raise
        print_json({"ok": False, "problems": _documents(error)})
        raise typer.Exit(error.exit_code) from None
    own, file = len(config.settings.topics), str(config.file) if config.file else None
    set_keys = sum(path[0] != "topics" and len(path) > 1 for path in config.sources)
    if output == "json":
        print_json({"ok": True, "file": file, "settings_set": set_keys, "topics_set": own, "problems": []})
        return
    typer.echo(
        f"ok: {file or 'no odin.toml'}; {set_keys} settings and {own} topics are not at their defaults"
    )


@app.command()
def example() -> None:
    """Print an odin.toml with every setting explained, commented out at its default."""
    from odin_ws.config_docs import example_file

    typer.echo(example_file(), nl=False)


@app.command()
def docs() -> None:
    """Print the tables of all settings for docs/configuration.md."""
    from odin_ws.config_docs import settings_tables

    typer.echo(settings_tables())


def _settings_of(config: "Config", prefix: str, changed: bool) -> dict[str, dict[str, Any]]:
    """Key → value, default and source."""
    from odin_ws.config import DEFAULT
    from odin_ws.config_docs import default_of
    from odin_ws.config_problems import is_secret
    from odin_ws.settings import setting_fields

    found = {}
    for key, info in setting_fields().items():
        section, name = key.split(".")
        source = config.source(key)
        if key.startswith(prefix) and not (changed and source == DEFAULT):
            value = "***" if is_secret(key) else getattr(getattr(config.settings, section), name)
            found[key] = {"value": value, "default": default_of(info), "source": source}
    return found


def _topics_of(config: "Config", prefix: str, changed: bool) -> dict[str, dict[str, Any]]:
    """Topic → what its channels, partitions and retention are, and who says so."""
    from odin_ws.config import DEFAULT

    found = {}
    for topic in config.settings.all_topics():
        source = config.topic_source(topic.name)
        if f"topics.{topic.name}".startswith(prefix) and not (changed and source == DEFAULT):
            found[topic.name] = {
                "channel": topic.channel,
                "partitions": topic.partitions,
                "retention_seconds": topic.retention_seconds,
                "source": source,
            }
    return found


def _print(settings: dict[str, dict[str, Any]], topics: dict[str, dict[str, Any]], long: bool) -> None:
    from odin_ws.cli.printing import print_table
    from odin_ws.settings import setting_fields

    meanings = {key: str(info.description) for key, info in setting_fields().items()}
    rows = [
        [key, _text(row["value"], long), _source(row["source"]), meanings[key]]
        for key, row in settings.items()
    ]
    for name, row in topics.items():
        shape = f"{row['channel']}, {row['partitions']} partitions, {row['retention_seconds']:g} s"
        rows.append([f"topics.{name}", shape, _source(row["source"]), "channels, partitions, retention"])
    width = 4 if long else 3
    print_table(["setting", "value", "from", "meaning"][:width], [row[:width] for row in rows])


def _source(source: str) -> "Cell":
    """Where a value came from; what somebody set stands out."""
    from odin_ws.cli.printing import Styled
    from odin_ws.config import DEFAULT

    return Styled(source, "dim" if source == DEFAULT else "bold")


def _text(value: object, full: bool) -> str:
    """A value for people; a long list is cut after some items unless it is wanted in full."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, tuple):
        return str(value).removesuffix(".0")
    text = ",".join(map(str, value)) or "none"
    if full or len(text) <= _LONGEST_VALUE:
        return text
    return f"{text[: text.rfind(',', 0, _LONGEST_VALUE - 12)]},… ({len(value)} items)"


def _refuse_prefix(prefix: str) -> None:
    from odin_ws.config_problems import nearest
    from odin_ws.errors import ExitCode, OdinError
    from odin_ws.settings import sections, setting_fields

    near = nearest(prefix, [*sections(), "topics", *setting_fields()])
    raise OdinError(
        f"no setting begins with {prefix!r}",
        remedy=f"./odin config show {near}".rstrip(),
        exit_code=ExitCode.USAGE,
    )


def _documents(error: "ConfigInvalid") -> list[dict[str, str]]:
    return [
        {"where": p.where, "key": p.key, "message": p.message, "suggestion": p.suggestion}
        for p in error.problems
    ]
