"""The publisher's control API: HTTP in, calls on the `Publisher`, JSON out.

Every error has the shape `{"error": "what was wrong and what is allowed"}`. The routes and shapes are a
contract with existing tools. Nothing here paces or publishes; the process around it is server.py.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException

from odin_ws import __version__
from odin_ws.publisher.api_bodies import RateBody, StartBody, allowed, explain
from odin_ws.publisher.counts import LATE_MS
from odin_ws.publisher.docs_page import docs_page
from odin_ws.publisher.engine import NotRunning, Publisher, RunReport
from odin_ws.publisher.guard import Guard
from odin_ws.publisher.histogram import DurationHistogram
from odin_ws.publisher.metrics import registry_of
from odin_ws.settings import PublisherSettings

_ABOUT = "Starts, stops and watches the simulator that publishes events to the event log."


class PublisherApi:
    """The routes over one publisher."""

    def __init__(self, publisher: Publisher, settings: PublisherSettings) -> None:
        self._publisher = publisher
        self._settings = settings
        self._registry: CollectorRegistry = registry_of(publisher)

    def health(self) -> dict[str, object]:
        """Whether the log takes events, and what the simulator does; `degraded` while the log does not."""
        state = self._publisher.state()
        answer: dict[str, object] = {
            "status": "ok" if state.connected else "degraded",
            "publisher": "connected" if state.connected else "disconnected",
            "simulator": "running" if state.running else "stopped",
            "currentRate": _number(state.rate),
        }
        return answer if state.connected else {**answer, "problem": state.problem}

    def status(self) -> dict[str, object]:
        """The state in short."""
        state = self._publisher.state()
        return {
            "isRunning": state.running,
            "currentRate": _number(state.rate),
            "publisherHealthy": state.connected,
        }

    def stats(self) -> dict[str, object]:
        """Figures of the run in progress, or of the last one."""
        state, report = self._publisher.state(), self._publisher.report()
        answer: dict[str, object] = {"isRunning": state.running, "currentRate": _number(state.rate)}
        return answer if report is None else {**answer, **_figures(report)}

    def metrics(self) -> Response:
        """Metrics for Prometheus, over all runs since the process began."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def start(self, body: StartBody | None = None) -> dict[str, object]:
        """Publish from now on, instead of what runs now."""
        body = body or StartBody()
        tokens = tuple(dict.fromkeys(body.tokenIds or self._settings.tokens))
        seed = self._settings.seed if body.seed is None else body.seed
        self._publisher.start(body.rate or self._settings.rate, tokens, seed)
        report = self._publisher.report()
        return {**self.status(), "tokenIds": tokens, "seed": report.seed if report else seed}

    def stop(self) -> dict[str, object]:
        """Publish nothing more; fine when nothing runs."""
        self._publisher.stop()
        return self.status()

    def rate(self, body: RateBody) -> dict[str, object]:
        """Continue at another rate."""
        self._publisher.change_rate(body.rate)
        return self.status()


def create_app(publisher: Publisher, settings: PublisherSettings) -> FastAPI:
    """The ASGI application."""
    app = FastAPI(
        title="odin-ws publisher",
        description=_ABOUT,
        version=__version__,
        docs_url=None,
        redoc_url=None,
    )
    api = PublisherApi(publisher, settings)
    bad: dict[int | str, dict[str, Any]] = {400: {"description": "Bad body; the answer says what is allowed"}}
    app.get("/health")(api.health)
    app.get("/status")(api.status)
    app.get("/stats")(api.stats)
    app.get("/metrics", response_class=Response)(api.metrics)
    app.post("/start", responses=bad)(api.start)
    app.post("/stop")(api.stop)
    app.post("/rate", responses={400: {"description": "Bad body, or nothing runs"}})(api.rate)
    app.get("/docs", include_in_schema=False)(lambda: HTMLResponse(docs_page(app.openapi())))
    app.add_middleware(Guard, host=settings.host)
    _answer_errors(app)
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    def bad_body(request: Request, error: RequestValidationError) -> JSONResponse:
        return _error(HTTPStatus.BAD_REQUEST, explain(request.url.path, error))

    @app.exception_handler(NotRunning)
    def not_running(request: Request, error: NotRunning) -> JSONResponse:
        return _error(HTTPStatus.BAD_REQUEST, f"{error.message}; {error.remedy}")

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> JSONResponse:
        message = str(error.detail)
        if error.status_code == HTTPStatus.NOT_FOUND:
            message = f"there is no {request.url.path}; there are {', '.join(_paths(app))}"
        elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            message = f"{request.method} is not allowed for {request.url.path}; see /docs"
        elif error.status_code == HTTPStatus.BAD_REQUEST:
            message = f"the body is not JSON in UTF-8; {allowed(request.url.path)}"
        return _error(error.status_code, message, error.headers)


def _paths(app: FastAPI) -> list[str]:
    return [*app.openapi()["paths"], "/docs", "/openapi.json"]


def _error(status: int, message: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"error": message}, status, headers=headers)


def _figures(report: RunReport) -> dict[str, object]:
    counts = report.counts
    return {
        "since": _iso(report.since),
        "until": _iso(report.until) if report.until else None,
        "seed": report.seed,
        "tokens": report.tokens,
        "published": counts.total,
        "planned": counts.planned,
        "waiting": report.waiting,
        "byTopic": dict(sorted(counts.published.items())),
        "rate": {"last10s": _rates(report.recent_rates), "sinceStart": _rates(report.overall_rates)},
        "latenessMs": _percentiles(counts.lateness),
        "appendMs": _percentiles(counts.appends),
        "late": counts.late,
        "lateMeansMs": LATE_MS,
        "skipped": counts.skipped,
        "unsent": counts.unsent,
        "errors": counts.errors,
        "retries": counts.retries,
    }


def _rates(rates: tuple[float, float]) -> dict[str, float]:
    return {"achieved": round(rates[0], 2), "planned": round(rates[1], 2)}


def _percentiles(durations: DurationHistogram) -> dict[str, float]:
    figures = {"p50": durations.percentile(50), "p99": durations.percentile(99), "max": durations.max_ms}
    return {name: round(value, 3) for name, value in figures.items()}


def _number(rate: float) -> float:
    """A whole rate as a whole number, as clients have always seen it."""
    return int(rate) if rate == int(rate) else rate


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
