"""A fake event log, and a publisher on top of it."""

from collections.abc import Iterator

import pytest

from odin_ws.publisher.engine import Publisher
from odin_ws.settings import PublisherSettings
from publisher.fake_log import FakeLog


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def publisher(log: FakeLog) -> Iterator[Publisher]:
    """A launched publisher that runs nothing yet."""
    publisher = Publisher(log.open, PublisherSettings())
    publisher.launch()
    yield publisher
    log.gate.set()
    assert publisher.close(5)
