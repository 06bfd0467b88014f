"""`odin config …`: show the values in force and where they came from, check them all."""

import json

import typer

app = typer.Typer(no_args_is_help=True, help="The configuration: what is in force, and whether it is valid.")


@app.command()
def show(
    output: str = typer.Option("table", "--output", "-o", envvar="FORMAT", help="table or json."),
) -> None:
    """Every setting with its value and where it came from."""
    from odin_ws.cli.context import current
    from odin_ws.cli.printing import print_table
    from odin_ws.config import setting_keys

    config = current().config
    rows = []
    for key, (model, name) in setting_keys().items():
        value = getattr(getattr(config.settings, key.split(".")[0]), name)
        rows.append((key, value, config.source(key), str(model.model_fields[name].description)))
    for topic in config.settings.all_topics():
        source = next(
            (s for k, s in config.sources.items() if k.startswith(f"topics.{topic.name}.")), "catalogue"
        )
        shape = f"{topic.channel}, {topic.partitions} partitions, {topic.retention_seconds:g} s"
        rows.append((f"topics.{topic.name}", shape, source, "channel template, partitions, retention"))
    if output == "json":
        typer.echo(
            json.dumps({key: {"value": value, "source": source} for key, value, source, _ in rows}, indent=2)
        )
        return
    print_table(["setting", "value", "from", "meaning"], [[k, _text(v), s, d] for k, v, s, d in rows])


@app.command()
def check() -> None:
    """Report every error of odin.toml and ODIN_* with its place; exit 2 when there is one."""
    from odin_ws.cli.context import current

    config = current().config
    place = config.file or "no odin.toml (defaults)"
    typer.echo(
        f"ok: {place}, {len(config.sources)} settings changed, {len(config.settings.topics)} topics of your own"
    )


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
