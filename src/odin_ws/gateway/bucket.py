"""A token bucket: how many of something are allowed at once and over time. It is given the time."""


class Bucket:
    """A token bucket: `capacity` at once, `per_second` sustained; per_second 0 never refills."""

    __slots__ = ("_at", "_capacity", "_level", "_per_second")

    def __init__(self, capacity: float, per_second: float, now: float) -> None:
        self._capacity = self._level = capacity
        self._per_second = per_second
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token; False when there is none."""
        elapsed = max(0.0, now - self._at)
        self._level = min(self._capacity, self._level + elapsed * self._per_second)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
