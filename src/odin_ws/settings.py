"""Every setting, written once: its name, unit, default, meaning of zero and what happens on breach.

`odin config show`, odin.toml, docs/configuration.md and the checks all derive from these models. Values
come from (later wins): the default here, `odin.toml`, `ODIN_<SECTION>_<KEY>` in the environment,
command-line overrides. How they are read and explained is config.py's work.
"""

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from odin_ws import catalogue

#: `scheme://host[:port]` as browsers send it, `null` (a file or a sandbox), or `*`.
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#@]+")


def _reject(problem_of: Callable[[str], str | None]) -> AfterValidator:
    """A validator that fails with what `problem_of` says about a value."""

    def check(value: str) -> str:
        if problem := problem_of(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


def _origin_problem(origin: str) -> str | None:
    return None if _ORIGIN.fullmatch(origin) else "must be scheme://host[:port] without a path, or *"


Port = Annotated[int, Field(ge=1, le=65535)]
Rate = Annotated[float, Field(gt=0, le=100_000)]
#: Not empty: an empty address would listen on every interface.
Host = Annotated[str, Field(min_length=1)]
Origin = Annotated[str, _reject(_origin_problem)]
Token = Annotated[str, Field(min_length=1)]
TopicName = Annotated[str, _reject(catalogue.check_topic_name)]


class Section(BaseModel):
    """A table of odin.toml: unknown keys are errors, numbers finite, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StackSettings(Section):
    """How the services are run and watched."""

    driver: Literal["process"] = Field("process", description="What runs the services.")
    start_timeout_seconds: float = Field(
        120.0, gt=0, description="How long `start` waits for a service to be healthy before it exits 5."
    )
    stop_timeout_seconds: float = Field(
        10.0, gt=0, description="How long a service may take to stop before it is killed."
    )
    probe_timeout_seconds: float = Field(
        3.0, gt=0, description="Deadline of one health probe; a probe over it counts as failed."
    )
    log_max_mb: float = Field(
        20.0, gt=0, description="Size at which a service's log file is rotated, in MB; three are kept."
    )
    min_free_disk_mb: float = Field(
        200.0, ge=0, description="Free disk below which preflight and the log's probe fail, in MB; 0 = never."
    )


class LogSettings(Section):
    """The event log."""

    engine: Literal["sqlite"] = Field("sqlite", description="Event log engine; sqlite is the embedded one.")
    poll_ms: float = Field(
        1.0, ge=0.1, le=1000, description="How often a follower of the embedded log looks for new records."
    )
    retention_check_seconds: float = Field(
        1.0, gt=0, description="How often expired records are removed from the embedded log."
    )
    busy_timeout_seconds: float = Field(
        5.0, ge=0, description="How long a write waits for another writer before it fails; 0 = not at all."
    )
    fsync: bool = Field(
        False,
        description="Sync each append to disk: survives power loss, costs throughput. "
        "Without it the log survives any killed process, but not a power cut.",
    )


class GatewaySettings(Section):
    """The WebSocket gateway."""

    host: Host = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(3005, description="Port of /ws, health, metrics and the page.")
    allowed_origins: tuple[Origin, ...] = Field(
        (),
        description="Origins (scheme://host[:port]) let in besides the same host and loopback; "
        "'*' lets every one in. Others get 403.",
    )
    max_connections: int = Field(
        20_000, ge=0, description="Connections held at once; 0 = no limit. Beyond: 503 with Retry-After."
    )
    retry_after_seconds: int = Field(5, ge=1, description="Retry-After told at capacity and while draining.")
    max_channels_per_session: int = Field(
        1000, ge=1, description="Channels one session may hold. Beyond: error too_many_channels."
    )
    max_patterns_per_session: int = Field(
        20,
        ge=0,
        description="Patterns like *.trade one session may hold; 0 = none. Beyond: error too_many_patterns.",
    )
    max_message_bytes: int = Field(
        65_536, ge=1024, description="Longest message of a client. Beyond: closed with 1009."
    )
    max_messages_per_second: float = Field(
        50.0,
        ge=0,
        description="Messages a client may send, sustained; 0 = no limit. Beyond: error rate_limited.",
    )
    message_burst: int = Field(
        200, ge=1, description="Messages a client may send at once before max_messages_per_second holds."
    )
    max_errors: int = Field(
        20, ge=0, description="Errors a session may cause; 0 = no limit. Beyond: closed with 4102."
    )
    max_queued_bytes: int = Field(
        4_194_304,
        ge=65_536,
        description="Bytes that may wait for one client. Beyond: closed with 4000 (slow consumer).",
    )
    ring_records: int = Field(
        100, ge=0, description="Last events kept in memory a channel, for from = {last: n}; 0 = none."
    )
    ring_bytes: int = Field(
        65_536, ge=0, description="Bytes of events kept in memory a channel; the older leave first; 0 = none."
    )
    max_channels: int = Field(
        100_000,
        ge=1,
        description="Channels with events kept in memory; beyond, the longest silent are forgotten.",
    )
    ping_interval_seconds: float = Field(25.0, gt=0, description="How often the server pings a client.")
    silence_timeout_seconds: float = Field(
        60.0, gt=0, description="A client silent for this long is closed with 4001."
    )
    handshake_timeout_seconds: float = Field(
        10.0, gt=0, description="A connection that sends no complete request in this time is dropped."
    )
    tick_ms: float = Field(
        0.0, ge=0, le=1000, description="Collect events this long before writing; 0 = write at once."
    )
    warm_seconds: float = Field(
        30.0,
        ge=0,
        description="How far back the feed starts, to fill the memory of channels; 0 = at the end.",
    )
    stale_seconds: float = Field(
        60.0, ge=0, description="Feed without a record for this long is told as stale; 0 = never."
    )
    max_lag_records: int = Field(
        10_000, ge=0, description="Lag beyond which /readyz fails (feed not caught up); 0 = never."
    )
    drain_seconds: float = Field(
        5.0, ge=0, description="On SIGTERM clients are sent away spread over this time; 0 = at once."
    )


class PublisherSettings(Section):
    """The publisher with its simulator."""

    host: Host = Field("127.0.0.1", description="Address of the control API.")
    port: Port = Field(3006, description="Port of the control API.")
    autostart: bool = Field(True, description="Start publishing when the service starts.")
    rate: Rate = Field(100.0, description="Events per second when nothing else is asked.")
    tokens: tuple[Token, ...] = Field(
        catalogue.TOKENS, min_length=1, description="Tokens (record keys) the simulator publishes for."
    )
    seed: int | None = Field(
        None, description="Makes a run repeatable; unset = another one each time.", examples=[42]
    )
    max_batch: int = Field(1000, ge=1, description="Events written to the log in one append, at most.")
    catch_up_factor: float = Field(
        2.0, ge=1, le=10, description="After a stall, publish at most this multiple of the rate to catch up."
    )
    max_backlog_seconds: float = Field(
        10.0,
        ge=0,
        description="Events that are later than this are skipped and counted, not sent; 0 = never skipped.",
    )


class TopicSettings(Section):
    """A topic of your own, [topics.NAME]; a name with dots needs quotes: [topics."odin.trades"]."""

    suffix: str | None = Field(
        None,
        description="Channels are <key>.<suffix>; unset = the topic's name is the suffix.",
        examples=["order"],
    )
    channel: str | None = Field(
        None,
        description="Instead of suffix: a template over {key} and {topic}.",
        examples=["{topic}.{key}"],
    )
    retention_seconds: float = Field(3600.0, gt=0, description="How long records are kept.")
    partitions: int = Field(
        catalogue.DEFAULT_PARTITIONS, ge=1, le=1000, description="Number of partitions; fixed once created."
    )

    @field_validator("suffix", "channel")
    @classmethod
    def _well_formed(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if info.field_name == "suffix":
            if catalogue.check_channel_template("{key}." + value):
                raise ValueError("must be letters, digits, _ - ~, with dots only between them")
        elif problem := catalogue.check_channel_template(value):
            raise ValueError(problem)
        return value

    def topic(self, name: str, base: catalogue.Topic | None = None) -> catalogue.Topic:
        """The topic `name`; what is not set here is as in `base` (the catalogue's topic of that name)."""
        base = base or catalogue.Topic(name, "{key}." + name, self.retention_seconds, self.partitions)
        given = self.model_fields_set
        return catalogue.Topic(
            name=name,
            channel=self.channel or ("{key}." + self.suffix if self.suffix else base.channel),
            retention_seconds=self.retention_seconds
            if "retention_seconds" in given
            else base.retention_seconds,
            partitions=self.partitions if "partitions" in given else base.partitions,
        )


class Settings(Section):
    """The whole configuration."""

    stack: StackSettings = Field(default_factory=StackSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    publisher: PublisherSettings = Field(default_factory=PublisherSettings)
    topics: dict[TopicName, TopicSettings] = Field(default_factory=dict)

    def all_topics(self) -> tuple[catalogue.Topic, ...]:
        """The catalogue's topics, with what the user changed of them, and the user's own."""
        merged = {topic.name: topic for topic in catalogue.TOPICS}
        merged.update({name: own.topic(name, merged.get(name)) for name, own in self.topics.items()})
        return tuple(merged.values())


def sections() -> dict[str, type[Section]]:
    """The sections of odin.toml by name, but for `topics`, whose keys are the user's."""
    models = {name: info.annotation for name, info in Settings.model_fields.items()}
    return {name: m for name, m in models.items() if isinstance(m, type) and issubclass(m, Section)}


def setting_fields() -> dict[str, FieldInfo]:
    """Every setting by its dotted key ("gateway.port"), but those of `topics`."""
    return {
        f"{section}.{name}": info
        for section, model in sections().items()
        for name, info in model.model_fields.items()
    }


def variable_of(key: str) -> str:
    """The environment variable of a setting: gateway.port is ODIN_GATEWAY_PORT."""
    return "ODIN_" + key.replace(".", "_").upper()
