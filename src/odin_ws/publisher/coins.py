"""What the simulator knows of a token: its facts, and the figures that walk from event to event.

A price walks geometrically: each step multiplies it by e^(volatility * gauss). A pull towards the first
price, far weaker than a step, keeps it within about a third of where it began however long a run lasts.
All chance comes from the generator that is handed in, so a seed decides everything. No I/O, no clock.
"""

import math
from random import Random
from typing import NamedTuple

VOLATILITY = 0.0005
PULL = 1e-6

_SUPPLY_VALUE = 5e9


class CoinFacts(NamedTuple):
    """Name of a token and the price in USD that its walk starts from."""

    name: str
    price: float


KNOWN: dict[str, CoinFacts] = {
    "BTC": CoinFacts("Bitcoin", 64_000.0),
    "ETH": CoinFacts("Ethereum", 3_200.0),
    "SOL": CoinFacts("Solana", 145.0),
    "DOGE": CoinFacts("Dogecoin", 0.12),
    "ODIN": CoinFacts("Odin", 0.85),
    "AVAX": CoinFacts("Avalanche", 27.0),
    "MATIC": CoinFacts("Polygon", 0.55),
    "LINK": CoinFacts("Chainlink", 14.0),
    "UNI": CoinFacts("Uniswap", 7.8),
    "AAVE": CoinFacts("Aave", 92.0),
    "SUSHI": CoinFacts("SushiSwap", 0.75),
    "COMP": CoinFacts("Compound", 48.0),
    "MKR": CoinFacts("Maker", 2_400.0),
    "SNX": CoinFacts("Synthetix", 1.7),
    "YFI": CoinFacts("yearn.finance", 5_600.0),
    "CRV": CoinFacts("Curve", 0.31),
    "BAL": CoinFacts("Balancer", 2.4),
    "RUNE": CoinFacts("THORChain", 4.1),
    "LUNA": CoinFacts("Terra", 0.42),
    "ATOM": CoinFacts("Cosmos", 6.3),
}


class Coin:
    """One token in one run; every figure belongs to the simulator's thread.

    Args:
        symbol: the token, also the key of its records.
        random: source of all its chance.
    """

    __slots__ = (
        "_log_price",
        "_log_start",
        "_random",
        "comments",
        "decimals",
        "deltas",
        "holders",
        "key",
        "liquidity",
        "name",
        "price",
        "supply",
        "symbol",
    )

    def __init__(self, symbol: str, random: Random) -> None:
        facts = KNOWN.get(symbol) or CoinFacts(symbol.title(), 10 ** random.uniform(-2, 3))
        self.symbol = symbol
        self.key = symbol.encode()
        self.name = facts.name
        self.price = facts.price
        self.decimals = price_decimals(facts.price)
        self.supply = float(f"{_SUPPLY_VALUE * random.uniform(0.5, 2) / facts.price:.3g}")
        self.liquidity = random.uniform(2e6, 2e7)
        self.holders = random.randrange(2_000, 200_000)
        self.comments = 0
        self.deltas = [0.0, 0.0, 0.0]
        self._log_price = self._log_start = math.log(facts.price)
        self._random = random

    def walk_price(self) -> float:
        """Move the price one step and return it, rounded as markets quote it."""
        pull = (self._log_start - self._log_price) * PULL
        self._log_price += pull + VOLATILITY * self._random.gauss(0.0, 1.0)
        self.price = round(math.exp(self._log_price), self.decimals)
        return self.price

    def walk_delta(self, index: int, bound: float) -> float:
        """Move one of the percent changes (0: 1 h, 1: 24 h, 2: 7 d) a step, within plus or minus `bound`."""
        moved = 0.99 * self.deltas[index] + bound * 0.05 * self._random.gauss(0.0, 1.0)
        self.deltas[index] = max(-bound, min(bound, moved))
        return round(self.deltas[index], 2)

    def change_liquidity(self, amount: float) -> float:
        """Add `amount` (in USD, may be negative) to the pool, which never runs dry; returns the total."""
        self.liquidity = max(100_000.0, self.liquidity + amount)
        return round(self.liquidity, 2)

    def change_holders(self, bound: int) -> int:
        """Move the number of holders by at most `bound`; returns the change that was made."""
        change = self._random.randint(-bound, bound)
        change = max(change, 1 - self.holders)
        self.holders += change
        return change

    def some_comment(self) -> str:
        """Id of a comment that has been posted, or of the one from before the run."""
        return f"{self.symbol}-{self._random.randint(max(0, self.comments - 50), self.comments)}"

    def next_comment(self) -> str:
        """Id of a new comment."""
        self.comments += 1
        return f"{self.symbol}-{self.comments}"


def price_decimals(price: float) -> int:
    """Decimals that give a price about six significant digits, at least two decimals, at most ten."""
    return max(2, min(10, 5 - math.floor(math.log10(price))))
