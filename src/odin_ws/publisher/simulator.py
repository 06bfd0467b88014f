"""The simulator: a market of tokens that produces the catalogue's events, one after another.

In: the planned time of an event. Out: a `Draft` for the event log, its value compact JSON
`{"type","timestamp","data"}`. Which event comes is chance by the catalogue's weights; tokens are equally
likely. Pure and repeatable: the same tokens, seed and times give the same bytes. It does not pace.
"""

import itertools
import secrets
from bisect import bisect
from collections.abc import Iterable, Sequence
from random import Random

import msgspec

from odin_ws.catalogue import EVENT_TYPES, EventType
from odin_ws.eventlog.base import Draft
from odin_ws.publisher.coins import Coin
from odin_ws.publisher.event_data import MAKERS, Population


class Simulator:
    """Endless events for a set of tokens; belongs to one thread.

    Args:
        tokens: keys of the records; the order matters for repeating a run.
        seed: decides everything but the times; None takes one by chance, readable as `seed`.
        event_types: what can come, with weights.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        seed: int | None = None,
        event_types: Sequence[EventType] = EVENT_TYPES,
    ) -> None:
        if not tokens:
            raise ValueError("a simulator needs at least one token")
        self.tokens = tuple(tokens)
        self.seed = secrets.randbits(32) if seed is None else seed
        self._random = Random(self.seed)
        self._coins = [Coin(token, Random(f"{self.seed}/{token}")) for token in self.tokens]
        self._people = Population(self._random)
        self._kinds = [(kind.name, kind.topic, MAKERS[kind.name]) for kind in event_types]
        self._bounds = list(itertools.accumulate(kind.weight for kind in event_types))
        self._encode = msgspec.json.Encoder().encode

    def next(self, now_ms: int) -> Draft:
        """The next event, planned for `now_ms` (Unix time in milliseconds)."""
        return self.batch((now_ms,))[0]

    def batch(self, planned_ms: Iterable[int]) -> list[Draft]:
        """The next events, one for each planned time; the same as so many calls of `next`."""
        random, coins, people = self._random, self._coins, self._people
        kinds, bounds, encode = self._kinds, self._bounds, self._encode
        chance, total, last = random.random, bounds[-1], len(bounds) - 1
        drafts = []
        for now_ms in planned_ms:
            name, topic, make = kinds[min(bisect(bounds, chance() * total), last)]
            coin = coins[int(chance() * len(coins))]
            data = make(coin, people, random, now_ms)
            value = encode({"type": name, "timestamp": now_ms, "data": data})
            drafts.append(Draft(topic, coin.key, value, now_ms))
        return drafts
