"""The control API over ASGI: routes, shapes, bad bodies, other sites' pages."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from odin_ws.catalogue import TOKENS
from odin_ws.publisher.api import create_app
from odin_ws.publisher.engine import Publisher
from odin_ws.settings import PublisherSettings
from publisher.fake_log import FakeLog
from support import wait_until


@pytest.fixture
async def client(publisher: Publisher) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(publisher, PublisherSettings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3006") as client:
        yield client


async def post(client: httpx.AsyncClient, path: str, body: Any) -> tuple[int, Any]:
    answer = await client.post(path, json=body)
    return answer.status_code, answer.json()


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200
    return answer.json()


async def test_health_and_status_when_idle(client: httpx.AsyncClient, publisher: Publisher) -> None:
    wait_until(lambda: publisher.state().connected, "connected")
    assert await get(client, "/health") == {
        "status": "ok",
        "publisher": "connected",
        "simulator": "stopped",
        "currentRate": 0,
    }
    assert await get(client, "/status") == {"isRunning": False, "currentRate": 0, "publisherHealthy": True}
    assert await get(client, "/stats") == {"isRunning": False, "currentRate": 0}


async def test_start_change_stop(client: httpx.AsyncClient, log: FakeLog) -> None:
    body = {"rate": 500, "tokenIds": ["BTC", "ETH", "BTC"], "seed": 9}
    status, answer = await post(client, "/start", body)
    assert status == 200
    assert (answer["isRunning"], answer["currentRate"]) == (True, 500)
    assert (answer["tokenIds"], answer["seed"]) == (["BTC", "ETH"], 9)
    log.wait_for(5)
    assert (await get(client, "/health"))["simulator"] == "running"

    assert (await post(client, "/rate", {"rate": 0.5}))[1]["currentRate"] == 0.5
    assert (await post(client, "/stop", None))[1]["isRunning"] is False
    assert {draft.key for draft in log.drafts} <= {b"BTC", b"ETH"}


async def test_start_without_a_body_uses_the_configuration(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/start")).json()
    assert answer["currentRate"] == 100
    assert answer["tokenIds"] == list(TOKENS)
    assert isinstance(answer["seed"], int)


async def test_stop_when_idle(client: httpx.AsyncClient) -> None:
    assert (await client.post("/stop")).status_code == 200


async def test_rate_when_idle_says_how_to_start(client: httpx.AsyncClient) -> None:
    status, answer = await post(client, "/rate", {"rate": 5})
    assert status == 400
    assert "not running" in answer["error"]
    assert "/start" in answer["error"]


async def test_health_while_the_log_is_down(
    client: httpx.AsyncClient, publisher: Publisher, log: FakeLog
) -> None:
    log.failing = True
    publisher.start(1000, ("BTC",))
    wait_until(lambda: publisher.state().problem == "the fake log is down", "the outage is told")
    health = await get(client, "/health")
    assert health == {
        "status": "degraded",
        "publisher": "disconnected",
        "simulator": "running",
        "currentRate": 1000,
        "problem": "the fake log is down",
    }
    assert (await get(client, "/status"))["publisherHealthy"] is False


async def test_stats_add_up(client: httpx.AsyncClient, publisher: Publisher, log: FakeLog) -> None:
    await post(client, "/start", {"rate": 2000, "seed": 3})
    log.wait_for(100)
    await client.post("/stop")
    stats = await get(client, "/stats")
    assert stats["published"] == sum(stats["byTopic"].values()) == len(log.drafts)
    assert stats["planned"] >= stats["published"]
    assert set(stats["latenessMs"]) == {"p50", "p99", "max"}
    assert set(stats["rate"]["last10s"]) == {"achieved", "planned"}
    assert (stats["seed"], stats["errors"], stats["skipped"], stats["retries"]) == (3, 0, 0, 0)
    assert stats["since"] < stats["until"]
    assert stats["since"].endswith("Z")


async def test_metrics_are_text_for_prometheus(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "odin_publisher_running 0.0" in answer.text


async def test_docs_list_the_operations(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    document = await get(client, "/openapi.json")
    assert set(document["paths"]) == {"/health", "/status", "/stats", "/metrics", "/start", "/stop", "/rate"}
    assert all(path in page for path in document["paths"])


BAD_BODIES = (
    *(b"{", b"[]", b"null x", b'"rate"', b"\xff", b'{"rate": "1"}', b'{"rate": NaN}', b'{"rate": 1e999}'),
    *(b'{"rate": 1, "x": 1}', b'{"rate": ' + b"9" * 5000 + b"}", b"[" * 100_000),
)


@pytest.mark.parametrize("path", ["/start", "/rate"])
@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: str(body[:20]))
async def test_a_bad_body_is_a_400_that_says_what_is_allowed(
    client: httpx.AsyncClient, publisher: Publisher, path: str, body: bytes
) -> None:
    answer = await client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert "allowed is" in answer.json()["error"]
    assert not publisher.state().running


async def test_a_rate_needs_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.post("/rate")
    assert answer.status_code == 400
    assert "allowed is" in answer.json()["error"]


async def test_a_body_that_is_not_said_to_be_json(client: httpx.AsyncClient) -> None:
    answer = await client.post("/start", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 400
    assert "application/json" in answer.json()["error"]


async def test_a_page_of_another_site_may_not_post(client: httpx.AsyncClient, publisher: Publisher) -> None:
    answer = await client.post("/start", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert list(answer.json()) == ["error"]
    assert not publisher.state().running


async def test_unknown_routes_and_methods_keep_the_shape(client: httpx.AsyncClient) -> None:
    missing = await client.get("/nope")
    assert (missing.status_code, list(missing.json())) == (404, ["error"])
    assert "/health" in missing.json()["error"]
    wrong = await client.get("/start")
    assert (wrong.status_code, list(wrong.json())) == (405, ["error"])
    assert wrong.headers["allow"] == "POST"


async def test_a_huge_body_is_refused(client: httpx.AsyncClient) -> None:
    body = b'{"tokenIds": ["' + b"x" * 5_000_000 + b'"]}'
    answer = await client.post("/start", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert list(answer.json()) == ["error"]
