"""The bodies of the control API: what a client may send, checked strictly, and the sentence that says so.

JSON types are taken as they are: the string "100" is no number, an unknown field is an error.
"""

from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from odin_ws.settings import Rate

MAX_TOKENS = 10_000
MAX_TOKEN_LENGTH = 200

Token = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TOKEN_LENGTH)]

_RATE = "Events per second, above 0, at most 100000."


class StartBody(BaseModel):
    """What `POST /start` takes; each field that is left out comes from the configuration."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"rate": 100, "tokenIds": ["BTC", "ETH"], "seed": 7}]},
    )

    rate: Rate | None = Field(None, description=_RATE)
    tokenIds: list[Token] | None = Field(  # noqa: N815 - the name on the wire
        None,
        min_length=1,
        max_length=MAX_TOKENS,
        description=f"Keys to publish for: 1 to {MAX_TOKENS} names of 1 to {MAX_TOKEN_LENGTH} characters.",
    )
    seed: int | None = Field(
        None, ge=-(2**63), lt=2**63, description="A whole number that makes the run repeatable."
    )


class RateBody(BaseModel):
    """What `POST /rate` takes."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"rate": 200}]})

    rate: Rate = Field(description=_RATE)


ALLOWED = {
    "/start": 'allowed is {"rate": number above 0 up to 100000, "tokenIds": ["BTC", …], '
    '"seed": whole number}, each of them optional',
    "/rate": 'allowed is {"rate": number above 0 up to 100000}',
}


def explain(path: str, error: RequestValidationError) -> str:
    """One sentence: everything that is wrong with a body, and what is allowed."""
    wrong = "; ".join(dict.fromkeys(_one(detail) for detail in error.errors()))
    return f"{wrong}; {allowed(path)}"


def allowed(path: str) -> str:
    """What the body of a route may be, as the end of a sentence."""
    return ALLOWED.get(path, "no body is needed")


def _one(detail: dict[str, Any]) -> str:
    if detail["type"] == "json_invalid":
        return f"the body is not valid JSON ({detail['ctx']['error']} at character {detail['loc'][-1]})"
    where = ".".join(str(part) for part in detail["loc"][1:]) or "the body"
    if detail["type"] == "extra_forbidden":
        return f"{where}: is not known here"
    if detail["type"] == "missing":
        return f"{where}: is missing"
    message = str(detail["msg"])
    return f"{where}: {message[0].lower()}{message[1:]}"
