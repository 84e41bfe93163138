"""From the settings to a service that has been reached, with the key from the environment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

from evalsuite.errors import Failed, Unavailable
from evalsuite.models.endpoint.service import Service
from evalsuite.models.endpoint.settings import HttpSettings


@contextmanager
def connected(settings: HttpSettings, address: str) -> Iterator[Service]:
    """The service at an address, once it accepts connections.

    Raises:
        Unavailable: it does not, the library is missing, or the key is not in the environment.
    """
    httpx = library()
    key = _key(settings.api_key_env)
    with asyncio.Runner() as runner:
        runner.run(_reach(settings, address))
        client = httpx.AsyncClient(
            headers=_headers(settings, key),
            # A cookie would make an answer depend on those before, and tie all requests to one of several machines.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s, pool=None),
            limits=httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency),
            proxy=settings.proxy,
            follow_redirects=False,
            trust_env=False,  # else the shell's proxies and .netrc would change what is measured, and who gets a key
        )
        try:
            yield Service(settings, address, key, client, runner)
        finally:
            runner.run(client.aclose())


async def _reach(settings: HttpSettings, address: str) -> None:
    """Open a connection and close it: nothing is asked, so nothing is counted or charged.

    Raises:
        Unavailable: nobody listens there.
    """
    parts = urlsplit(settings.proxy or address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError; the latter of names that are none
        raise Unavailable(
            f"the service at {parts.hostname}:{port} cannot be reached: {str(error) or 'no connection in time'}; "
            "is it running, is its address right, does it take a proxy (setting proxy)?"
        ) from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def library() -> Any:
    """The package that sends requests.

    Raises:
        Unavailable: it is not installed.
    """
    try:
        import httpx2
    except ImportError as error:
        raise Unavailable("needs the package httpx2; install it with: pip install 'evalsuite[endpoint]'") from error
    return httpx2


def _key(name: str | None) -> str:
    """The key, or "" for a service without.

    Raises:
        Unavailable: the environment has none.
        Failed: no header can carry it.
    """
    if name is None:
        return ""
    key = os.environ.get(name, "").strip()
    if not key:
        raise Unavailable(f"the environment variable {name} is not set; export the service's key under that name")
    if not (key.isascii() and key.isprintable()):
        raise Failed(f"the environment variable {name} holds characters that no header can carry; is it the key alone?")
    return key


def _headers(settings: HttpSettings, key: str) -> dict[str, str]:
    fixed = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "evalsuite"}
    name, _, value = settings.api_key_header.partition(":")
    return {**fixed, **settings.headers, **({name: value.strip().replace("{key}", key)} if key else {})}
