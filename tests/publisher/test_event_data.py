"""The `data` of each event type has the fields and ranges of the catalogue."""

from random import Random
from typing import Any

import pytest

from odin_ws.catalogue import EVENT_TYPES
from odin_ws.publisher.coins import Coin
from odin_ws.publisher.event_data import MAKERS, Population

NOW_MS = 1_750_000_000_000

FIELDS = {
    "TRADE_EXECUTED": "price amount buyer seller txHash",
    "BUY_COMPLETED": "price amount buyer seller txHash",
    "SELL_COMPLETED": "price amount buyer seller txHash",
    "LIQUIDITY_ADDED": "amount provider totalLiquidity",
    "LIQUIDITY_REMOVED": "amount provider totalLiquidity",
    "LIQUIDITY_REBALANCED": "oldRatio newRatio totalLiquidity",
    "BALANCE_UPDATED": "user balance change",
    "TRANSFER_COMPLETED": "from to amount txHash",
    "METADATA_UPDATED": "name symbol description",
    "TOKEN_NAME_CHANGED": "name symbol description",
    "TOKEN_FLAGS_CHANGED": "flags",
    "SOCIAL_LINKS_UPDATED": "twitter telegram website",
    "TWITTER_VERIFIED": "twitterHandle verified verifiedAt",
    "COMMENT_POSTED": "commentId author content timestamp",
    "COMMENT_UPVOTED": "commentId voter totalUpvotes",
    "COMMENT_PINNED": "commentId pinnedBy",
    "FAVORITE_TOGGLED": "userId isFavorite",
    "TOKEN_CREATED": "creator name symbol supply",
    "TOKEN_LISTED": "exchange initialPrice timestamp",
    "PRICE_DELTA_UPDATED": "price delta1h delta24h delta7d",
    "ANALYTICS_RECALCULATED": "volume24h marketCap liquidity",
    "HOLDER_COUNT_UPDATED": "holderCount change",
    "TRENDING_UPDATED": "rank score",
}


def many(name: str, count: int = 2000) -> list[dict[str, Any]]:
    random = Random(11)
    coin, people = Coin("ODIN", random), Population(random)
    return [MAKERS[name](coin, people, random, NOW_MS) for _ in range(count)]


def test_there_is_a_maker_for_each_type_of_the_catalogue() -> None:
    assert set(MAKERS) == {kind.name for kind in EVENT_TYPES}
    assert len(MAKERS) == 23


@pytest.mark.parametrize(("name", "fields"), FIELDS.items())
def test_fields(name: str, fields: str) -> None:
    assert {" ".join(data) for data in many(name, 20)} == {fields}


@pytest.mark.parametrize(
    ("name", "field", "low", "high"),
    [
        ("PRICE_DELTA_UPDATED", "delta1h", -10, 10),
        ("PRICE_DELTA_UPDATED", "delta24h", -25, 25),
        ("PRICE_DELTA_UPDATED", "delta7d", -50, 50),
        ("HOLDER_COUNT_UPDATED", "change", -50, 50),
        ("TRENDING_UPDATED", "rank", 1, 100),
        ("TRADE_EXECUTED", "price", 0.4, 1.7),
        ("TRADE_EXECUTED", "amount", 0, 1e6),
        ("LIQUIDITY_REBALANCED", "newRatio", 0.3, 0.7),
        ("COMMENT_UPVOTED", "totalUpvotes", 1, 500),
    ],
)
def test_ranges(name: str, field: str, low: float, high: float) -> None:
    values = [data[field] for data in many(name)]
    assert low <= min(values) < max(values) <= high


def test_flags_are_three_booleans() -> None:
    flags = many("TOKEN_FLAGS_CHANGED")[0]["flags"]
    assert list(flags) == ["verified", "featured", "trending"]
    assert {type(flag) for flag in flags.values()} == {bool}


@pytest.mark.parametrize(
    ("name", "field"),
    [("COMMENT_POSTED", "timestamp"), ("TOKEN_LISTED", "timestamp"), ("TWITTER_VERIFIED", "verifiedAt")],
)
def test_times_are_the_time_of_the_event(name: str, field: str) -> None:
    assert many(name, 1)[0][field] == NOW_MS


def test_buyer_and_seller_differ_and_trade_again() -> None:
    trades = many("TRADE_EXECUTED")
    assert all(trade["buyer"] != trade["seller"] for trade in trades)
    assert len({trade["buyer"] for trade in trades}) <= Population.SIZE < len(trades)
    assert len({trade["txHash"] for trade in trades}) == len(trades)
