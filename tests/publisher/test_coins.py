"""The figures of a token: they walk, stay in their bounds, and repeat with their seed."""

import itertools
import math
from random import Random

import pytest

from odin_ws.catalogue import TOKENS
from odin_ws.publisher import coins
from odin_ws.publisher.coins import KNOWN, VOLATILITY, Coin, price_decimals


def test_every_default_token_is_known() -> None:
    assert set(KNOWN) == set(TOKENS)


def test_price_starts_where_the_table_says_and_moves_in_small_steps() -> None:
    coin = Coin("BTC", Random(1))
    assert coin.price == 64_000.0
    prices = [coin.walk_price() for _ in range(5000)]
    steps = [abs(math.log(b / a)) for a, b in itertools.pairwise(prices)]
    assert 0 < max(steps) < 6 * VOLATILITY
    assert len(set(prices)) > 1000


def test_a_price_that_went_far_is_pulled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coins, "VOLATILITY", 0.0)
    coin = Coin("DOGE", Random(1))
    coin._log_price += 3.0
    assert coin.walk_price() > 2.0
    monkeypatch.setattr(coins, "PULL", 1e-3)
    for _ in range(10_000):
        coin.walk_price()
    assert coin.price == pytest.approx(0.12, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_price_stays_near_its_start_over_a_long_run(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With steps and pull both scaled (100 and 100 squared) the band is the same, only reached sooner."""
    monkeypatch.setattr(coins, "VOLATILITY", coins.VOLATILITY * 100)
    monkeypatch.setattr(coins, "PULL", coins.PULL * 10_000)
    coin = Coin("DOGE", Random(seed))
    prices = [coin.walk_price() for _ in range(50_000)]
    assert 0.02 < min(prices) < 0.12 < max(prices) < 0.7


def test_an_unknown_token_gets_a_price_of_its_own_that_the_seed_decides() -> None:
    assert Coin("PEPE", Random(3)).price == Coin("PEPE", Random(3)).price
    assert Coin("PEPE", Random(3)).price != Coin("PEPE", Random(4)).price


@pytest.mark.parametrize("bound", [10.0, 25.0, 50.0])
def test_deltas_stay_within_their_bound_and_reach_both_signs(bound: float) -> None:
    coin = Coin("ETH", Random(5))
    deltas = [coin.walk_delta(0, bound) for _ in range(20_000)]
    assert -bound <= min(deltas) < 0 < max(deltas) <= bound


def test_holders_change_by_at_most_the_bound_and_never_end() -> None:
    coin = Coin("ETH", Random(5))
    coin.holders = 20
    changes = [coin.change_holders(50) for _ in range(1000)]
    assert max(map(abs, changes)) <= 50
    assert coin.holders == 20 + sum(changes) >= 1


def test_liquidity_never_runs_dry() -> None:
    coin = Coin("ETH", Random(5))
    assert coin.change_liquidity(-1e12) == 100_000.0


def test_comments_refer_to_those_that_were_posted() -> None:
    coin = Coin("ETH", Random(5))
    posted = {"ETH-0"} | {coin.next_comment() for _ in range(10)}
    assert {coin.some_comment() for _ in range(200)} <= posted


@pytest.mark.parametrize(("price", "decimals"), [(64_000, 2), (145, 3), (0.12, 6), (0.000012, 10), (1, 5)])
def test_decimals_follow_the_size_of_a_price(price: float, decimals: int) -> None:
    assert price_decimals(price) == decimals
