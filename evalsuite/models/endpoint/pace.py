"""When a request may be sent, and when it may be sent again."""

from __future__ import annotations

import asyncio
import random
import re
import time
from email.utils import parsedate_to_datetime

from evalsuite.models.endpoint.settings import LONGEST_BACKOFF_S


class Pace:
    """When the next request may be sent: at most so many a second, and none while the service asks to wait."""

    def __init__(self, per_second: float | None) -> None:
        self._gap_s = 0.0 if per_second is None else 1 / per_second
        self._next = 0.0
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Return when the caller may send, the next one in the queue not before the gap is over."""
        async with self._queue:
            while (wait := self._next - time.monotonic()) > 0:  # again, since a pause may have come meanwhile
                await asyncio.sleep(wait)
            self._next = time.monotonic() + self._gap_s

    def pause(self, seconds: float) -> None:
        """Let nobody send for so long."""
        self._next = max(self._next, time.monotonic() + seconds)


def backoff_s(first_s: float, attempt: int, chance: random.Random) -> float:
    """Seconds to wait after a failed attempt, counted from 0: twice as long each time, up to 30 s, less up to a half.

    The share that is left to chance keeps requests that failed together from coming back together.
    """
    longest = min(LONGEST_BACKOFF_S, first_s * 2.0**attempt)
    return longest * chance.uniform(0.5, 1)


def retry_after_s(header: str) -> float:
    """Seconds from now: the header has a number of them or a date (RFC 9110, section 10.2.3); 0 for none."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", header):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
