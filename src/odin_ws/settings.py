"""Every setting, written once: its name, unit, default, meaning of zero and what happens on breach.

The command line's help, `odin config show`, docs/configuration.md and the checks all derive from these
models. Values come from (later wins): the default here, `odin.toml`, `ODIN_<SECTION>_<KEY>` in the
environment, command-line overrides. How they are read and explained is config.py's work.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from odin_ws import catalogue

Port = Annotated[int, Field(ge=1, le=65535)]
Rate = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]


class Section(BaseModel):
    """A table of odin.toml: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(3005, description="Port of /ws, health, metrics and the page.")
    allowed_origins: tuple[str, ...] = Field(
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

    host: str = Field("127.0.0.1", description="Address of the control API.")
    port: Port = Field(3006, description="Port of the control API.")
    autostart: bool = Field(True, description="Start publishing when the service starts.")
    rate: Rate = Field(100.0, description="Events per second when nothing else is asked.")
    tokens: tuple[str, ...] = Field(
        catalogue.TOKENS, min_length=1, description="Tokens (record keys) the simulator publishes for."
    )
    seed: int | None = Field(None, description="Makes a run repeatable; unset = another one each time.")
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
    """A topic of your own: `[topics.<name>]`. Its records go to channels by `suffix` or `channel`."""

    suffix: str | None = Field(None, description="Channels are <key>.<suffix>.")
    channel: str | None = Field(None, description="Template over {key} and {topic}, instead of suffix.")
    retention_seconds: float = Field(3600.0, gt=0, description="How long records are kept.")
    partitions: int = Field(catalogue.DEFAULT_PARTITIONS, ge=1, le=1000, description="Number of partitions.")

    @field_validator("suffix", "channel")
    @classmethod
    def _well_formed(cls, value: str | None, info: object) -> str | None:
        if value is None:
            return None
        is_suffix = getattr(info, "field_name", "") == "suffix"
        if problem := catalogue.check_channel_template("{key}." + value if is_suffix else value):
            raise ValueError(problem)
        return value

    def topic(self, name: str) -> catalogue.Topic:
        """The topic `name` with these settings; without suffix and channel the suffix is the name itself."""
        return catalogue.Topic(
            name=name,
            channel=self.channel or "{key}." + (self.suffix or name),
            retention_seconds=self.retention_seconds,
            partitions=self.partitions,
        )


class Settings(Section):
    """The whole configuration."""

    stack: StackSettings = Field(default_factory=StackSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    publisher: PublisherSettings = Field(default_factory=PublisherSettings)
    topics: dict[str, TopicSettings] = Field(default_factory=dict)

    def all_topics(self) -> tuple[catalogue.Topic, ...]:
        """The catalogue's topics and the user's own; one of the same name replaces the catalogue's."""
        merged = {topic.name: topic for topic in catalogue.TOPICS}
        merged.update({name: own.topic(name) for name, own in self.topics.items()})
        return tuple(merged.values())
