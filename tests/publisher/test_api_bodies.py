"""Bodies of the control API: what passes, and the sentence for what does not."""

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from odin_ws.publisher.api_bodies import ALLOWED, RateBody, StartBody, explain
from odin_ws.settings import PublisherSettings


def errors_of(model: type[BaseModel], body: str) -> RequestValidationError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(body)
    return RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in caught.value.errors()])


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"rate": 100}',
        '{"rate": 0.5, "tokenIds": ["BTC"], "seed": 7}',
        '{"rate": null, "tokenIds": null, "seed": null}',
        '{"tokenIds": ["ünïcode", "a.b", " "]}',
        '{"rate": 100000, "seed": -9223372036854775808}',
    ],
)
def test_good_start(body: str) -> None:
    StartBody.model_validate_json(body)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ('{"rate": "100"}', "rate: input should be a valid number"),
        ('{"rate": true}', "rate: input should be a valid number"),
        ('{"rate": 0}', "rate: input should be greater than 0"),
        ('{"rate": -1}', "rate: input should be greater than 0"),
        ('{"rate": 100001}', "rate: input should be less than or equal to 100000"),
        ('{"tokenIds": []}', "tokenIds: "),
        ('{"tokenIds": "BTC"}', "tokenIds: input should be a valid"),
        ('{"tokenIds": [1]}', "tokenIds.0: input should be a valid string"),
        ('{"tokenIds": [""]}', "tokenIds.0: string should have at least 1 character"),
        ('{"seed": 1.5}', "seed: "),
        ('{"seed": "x"}', "seed: input should be a valid integer"),
        ('{"rate": 1, "speed": 2}', "speed: is not known here"),
        ("[]", "the body: "),
        ("7", "the body: "),
    ],
)
def test_bad_start_is_explained_with_what_is_allowed(body: str, part: str) -> None:
    sentence = explain("/start", errors_of(StartBody, body))
    assert sentence.startswith(part)
    assert sentence.endswith(ALLOWED["/start"])


def test_rate_is_required() -> None:
    assert explain("/rate", errors_of(RateBody, "{}")).startswith("rate: is missing")


def test_all_that_is_wrong_is_named() -> None:
    sentence = explain("/start", errors_of(StartBody, '{"rate": 0, "seed": "x", "speed": 1}'))
    assert all(name in sentence for name in ("rate: ", "seed: ", "speed: "))


def test_the_allowed_rates_are_those_of_the_setting() -> None:
    high = 100_000
    PublisherSettings(rate=high)
    with pytest.raises(ValidationError):
        PublisherSettings(rate=high + 1)
    assert all(f"up to {high}" in sentence for sentence in ALLOWED.values())
