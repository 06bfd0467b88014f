"""The `data` of each event type: one function a type, from a coin and chance to a dict for JSON.

`MAKERS` has exactly the types of the catalogue. Amounts are in units of the token, `provider`, `buyer`
and such are addresses of a small population that trades again and again. Pure: chance and the event's
time come in as arguments.
"""

from collections.abc import Callable, Sequence
from random import Random

from odin_ws.publisher.coins import Coin

Data = dict[str, object]


class Population:
    """The users who trade and comment, the same ones over a run."""

    SIZE = 500

    def __init__(self, random: Random) -> None:
        self._addresses = [f"0x{random.getrandbits(160):040x}" for _ in range(self.SIZE)]
        self._random = random

    def one(self) -> str:
        """Any user's address."""
        return self._addresses[int(self._random.random() * self.SIZE)]

    def two(self) -> tuple[str, str]:
        """Two different users' addresses."""
        first = int(self._random.random() * self.SIZE)
        second = (first + 1 + int(self._random.random() * (self.SIZE - 1))) % self.SIZE
        return self._addresses[first], self._addresses[second]


Maker = Callable[[Coin, Population, Random, int], Data]

_COMMENTS = (
    "Holding this one for the long run",
    "Volume picks up, watch the next candle",
    "Took some profit today",
    "Who is buying at this price?",
    "Liquidity looks healthy",
    "The chart is a coin toss right now",
    "Good update from the team",
    "Added to my watch list",
)
_EXCHANGES = ("Odin Exchange", "Bifrost", "Yggdrasil Spot", "Asgard Markets")


def _hash(random: Random) -> str:
    return f"0x{random.getrandbits(256):064x}"


def _pick(random: Random, values: Sequence[str]) -> str:
    return values[int(random.random() * len(values))]


def _amount(coin: Coin, random: Random) -> float:
    """Units of the token, worth about 500 USD on average, with a long tail."""
    return float(f"{random.expovariate(0.002) / coin.price:.6g}")


def _trade(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    buyer, seller = people.two()
    return {
        "price": coin.walk_price(),
        "amount": _amount(coin, random),
        "buyer": buyer,
        "seller": seller,
        "txHash": _hash(random),
    }


def _liquidity_added(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    amount = round(random.expovariate(1 / 5000), 2)
    return {"amount": amount, "provider": people.one(), "totalLiquidity": coin.change_liquidity(amount)}


def _liquidity_removed(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    amount = round(random.expovariate(1 / 5000), 2)
    return {"amount": amount, "provider": people.one(), "totalLiquidity": coin.change_liquidity(-amount)}


def _liquidity_rebalanced(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    old = random.uniform(0.4, 0.6)
    return {
        "oldRatio": round(old, 4),
        "newRatio": round(old + random.uniform(-0.05, 0.05), 4),
        "totalLiquidity": coin.change_liquidity(0.0),
    }


def _balance(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    change = float(f"{random.gauss(0.0, 500.0) / coin.price:.6g}")
    balance = abs(change) + random.expovariate(0.0002) / coin.price
    return {"user": people.one(), "balance": float(f"{balance:.8g}"), "change": change}


def _transfer(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    sender, receiver = people.two()
    return {"from": sender, "to": receiver, "amount": _amount(coin, random), "txHash": _hash(random)}


def _metadata(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    revision = random.randrange(1, 1000)
    return {
        "name": coin.name,
        "symbol": coin.symbol,
        "description": f"{coin.name} ({coin.symbol}), revision {revision}",
    }


def _flags(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    bits = random.getrandbits(3)
    return {"flags": {"verified": bool(bits & 1), "featured": bool(bits & 2), "trending": bool(bits & 4)}}


def _social_links(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    handle = coin.symbol.lower()
    return {
        "twitter": f"https://twitter.com/{handle}",
        "telegram": f"https://t.me/{handle}",
        "website": f"https://{handle}.example",
    }


def _twitter_verified(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {"twitterHandle": f"@{coin.symbol.lower()}", "verified": True, "verifiedAt": now_ms}


def _comment_posted(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {
        "commentId": coin.next_comment(),
        "author": people.one(),
        "content": _pick(random, _COMMENTS),
        "timestamp": now_ms,
    }


def _comment_upvoted(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {
        "commentId": coin.some_comment(),
        "voter": people.one(),
        "totalUpvotes": random.randrange(1, 500),
    }


def _comment_pinned(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {"commentId": coin.some_comment(), "pinnedBy": people.one()}


def _favorite(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {"userId": people.one(), "isFavorite": random.random() < 0.7}


def _token_created(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {"creator": people.one(), "name": coin.name, "symbol": coin.symbol, "supply": coin.supply}


def _token_listed(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {"exchange": _pick(random, _EXCHANGES), "initialPrice": coin.price, "timestamp": now_ms}


def _price_delta(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {
        "price": coin.walk_price(),
        "delta1h": coin.walk_delta(0, 10.0),
        "delta24h": coin.walk_delta(1, 25.0),
        "delta7d": coin.walk_delta(2, 50.0),
    }


def _analytics(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {
        "volume24h": round(coin.liquidity * random.uniform(0.5, 3.0), 2),
        "marketCap": round(coin.supply * coin.price, 2),
        "liquidity": coin.change_liquidity(0.0),
    }


def _holders(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    change = coin.change_holders(50)
    return {"holderCount": coin.holders, "change": change}


def _trending(coin: Coin, people: Population, random: Random, now_ms: int) -> Data:
    return {"rank": random.randint(1, 100), "score": round(random.uniform(0.0, 100.0), 2)}


MAKERS: dict[str, Maker] = {
    "TRADE_EXECUTED": _trade,
    "BUY_COMPLETED": _trade,
    "SELL_COMPLETED": _trade,
    "LIQUIDITY_ADDED": _liquidity_added,
    "LIQUIDITY_REMOVED": _liquidity_removed,
    "LIQUIDITY_REBALANCED": _liquidity_rebalanced,
    "BALANCE_UPDATED": _balance,
    "TRANSFER_COMPLETED": _transfer,
    "METADATA_UPDATED": _metadata,
    "TOKEN_NAME_CHANGED": _metadata,
    "TOKEN_FLAGS_CHANGED": _flags,
    "SOCIAL_LINKS_UPDATED": _social_links,
    "TWITTER_VERIFIED": _twitter_verified,
    "COMMENT_POSTED": _comment_posted,
    "COMMENT_UPVOTED": _comment_upvoted,
    "COMMENT_PINNED": _comment_pinned,
    "FAVORITE_TOGGLED": _favorite,
    "TOKEN_CREATED": _token_created,
    "TOKEN_LISTED": _token_listed,
    "PRICE_DELTA_UPDATED": _price_delta,
    "ANALYTICS_RECALCULATED": _analytics,
    "HOLDER_COUNT_UPDATED": _holders,
    "TRENDING_UPDATED": _trending,
}
