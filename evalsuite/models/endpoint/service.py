"""Requests to a service: bounded, paced, tried again where that can help, and silent about the key."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote

from evalsuite.errors import Failed
from evalsuite.models.endpoint.pace import Pace, backoff_s, retry_after_s
from evalsuite.models.endpoint.settings import HttpSettings

if TYPE_CHECKING:
    import httpx2

Taken = TypeVar("Taken")

LONGEST_RETRY_AFTER_S = 120.0
"""Longer waits belong to a later run: a process that is silent for too long is taken for hung."""

EXCERPT_CHARACTERS = 200
"""How much of what a service says goes into a message."""

LONGEST_SHOWN = 65_536
"""Longer texts are not shown at all: one that is cut could end in a part of the key, which nothing would find."""

KEPT = "batches that are whole are kept where the model has a version"


class Request(NamedTuple):
    """One request: what messages call it, the JSON that is posted, and the seed of its back-off."""

    name: str
    body: bytes
    seed: int


@dataclass(frozen=True)
class Answer:
    """A status of the service's own choice (2xx or 4xx), and its whole body."""

    name: str
    status: int
    content_type: str
    body: bytes

    @property
    def words(self) -> str:
        """The status with its name: ``404 Not Found``."""
        return _words(self.status)


class Service:
    """Posts JSON to one address."""

    def __init__(
        self, settings: HttpSettings, address: str, key: str, client: httpx2.AsyncClient, runner: asyncio.Runner
    ) -> None:
        self._settings, self._address = settings, address
        # As a service that echoes the key may write it: plainly, in JSON with escaped slashes, or in an address.
        self._spellings = {key, key.replace("/", "\\/"), quote(key, safe="")} - {""}
        self._client, self._runner = client, runner
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._pace = Pace(settings.requests_per_second)

    def post(self, requests: Sequence[Request], take: Callable[[Answer], Taken]) -> list[Taken]:
        """What ``take`` makes of each answer as soon as it is there, in the order of the requests.

        When one fails for good, or ``take`` raises, the others are broken off: they would be paid for in vain.

        Raises:
            Failed: no answer of status 2xx or 4xx came within the limits of the settings.
        """
        return self._runner.run(self._post_all(requests, take))

    def shown(self, said: bytes | str) -> str:
        """What a service says, fit for a message: one line of printable characters, short, and without the key."""
        if len(said) > LONGEST_SHOWN:
            return f"{len(said)} bytes"
        text = said if isinstance(said, str) else said.decode("utf-8", "replace")
        line = "".join(character if character.isprintable() else " " for character in text)
        for spelling in self._spellings:
            line = line.replace(spelling, "***")
        return " ".join(line.split())[:EXCERPT_CHARACTERS]

    async def _post_all(self, requests: Sequence[Request], take: Callable[[Answer], Taken]) -> list[Taken]:
        async def one(request: Request) -> Taken:
            return take(await self._post(request))

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(request)) for request in requests]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _post(self, request: Request) -> Answer:
        chance, last = random.Random(request.seed), _Setback("gave no answer")
        async with self._slots:
            for attempt in range(self._settings.retries + 1):
                await self._pace.turn()
                outcome = await self._attempt(request)
                if isinstance(outcome, Answer):
                    return outcome
                last = outcome
                self._pace.pause(self._patience(request, last))
                if attempt < self._settings.retries:
                    await asyncio.sleep(backoff_s(self._settings.backoff_s, attempt, chance))
        tried = f"tried {self._settings.retries + 1} times" if self._settings.retries else "tried once"
        raise Failed(
            f"{request.name}: the service {last.reason} ({tried}); is it overloaded or down? Run again later: {KEPT}"
        )

    async def _attempt(self, request: Request) -> Answer | _Setback:
        import httpx2

        limits = self._settings
        try:
            async with asyncio.timeout(limits.total_timeout_s):
                return await self._answer(request)
        except TimeoutError:
            return _Setback(f"took longer than total_timeout_s, {limits.total_timeout_s:g} s")
        except httpx2.ConnectTimeout:
            return _Setback(f"accepted no connection within connect_timeout_s, {limits.connect_timeout_s:g} s")
        except httpx2.TimeoutException:
            return _Setback(f"was silent for read_timeout_s, {limits.read_timeout_s:g} s")
        except httpx2.TransportError as error:
            return _Setback(f"was lost: {self.shown(f'{type(error).__name__}: {error}')}")

    async def _answer(self, request: Request) -> Answer | _Setback:
        """What the service answers to a request that is sent now.

        Raises:
            Failed: a redirect, or more bytes than allowed.
        """
        async with self._client.stream("POST", self._address, content=request.body) as response:
            status, headers = response.status_code, response.headers
            body = await self._whole(request, response)
        if 300 <= status < 400:
            raise Failed(
                f"{request.name}: the service answered {_words(status)} to {self.shown(headers.get('location', ''))}; "
                "redirects are not followed: if that is the service, give its address as url"
            )
        if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS) or status >= 500:
            asked = retry_after_s(headers.get("retry-after", ""))
            return _Setback(f"answered {_words(status)}: {self.shown(body)}", asked)
        return Answer(request.name, status, self.shown(headers.get("content-type", "")), body)

    async def _whole(self, request: Request, response: httpx2.Response) -> bytes:
        """The body as it was sent. It is not unpacked: a compressed one could be of any size."""
        if response.headers.get("content-encoding", "identity") != "identity":
            packing = self.shown(response.headers["content-encoding"])
            raise Failed(f"{request.name}: the service packed its answer ({packing}), which it was asked not to do")
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > self._settings.max_bytes:
                raise Failed(f"{request.name}: the answer has more than max_bytes, {self._settings.max_bytes} bytes")
        return bytes(body)

    @staticmethod
    def _patience(request: Request, setback: _Setback) -> float:
        """Seconds for which the service wants to be left alone.

        Raises:
            Failed: they are too many to wait for.
        """
        if setback.retry_after_s > LONGEST_RETRY_AFTER_S:
            raise Failed(
                f"{request.name}: the service {setback.reason}, and asks to wait {setback.retry_after_s:.0f} s; "
                f"run again then: {KEPT}"
            )
        return setback.retry_after_s


class _Setback(NamedTuple):
    """An attempt that may be repeated: what the service did, and how long it asks to be left alone."""

    reason: str
    retry_after_s: float = 0.0


def _words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
