"""How an endpoint is spoken to, as far as a suite says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from evalsuite.settings import Bytes, Settings
from evalsuite.suite.schema import Fault, refuse

LONGEST_BACKOFF_S = 30.0

_OWN_HEADERS = frozenset({"accept-encoding", "content-length", "content-type", "host", "transfer-encoding"})
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key"})
_NO_SECRETS = "a suite and its record are read by many: name an environment variable, api_key_env, instead"


class HttpSettings(Settings):
    """How requests are sent; of all this, only ``headers`` are meant to change what is answered.

    Attributes:
        headers: sent with every request; never the place of a secret, since they are part of the record.
        api_key_env: the environment variable that holds the service's key; None for a service without.
        api_key_header: name and value of the header that carries the key in the place of ``{key}``.
        concurrency: requests of one batch that are under way at the same time.
        requests_per_second: at most so many are sent by a model's process, retries included; None for no limit.
        retries: how often a request is sent again after status 408, 429 or 5xx, a time-out or a broken connection.
        backoff_s: wait before the first of them; it doubles each time, up to 30 s, and half of it is left to chance.
        connect_timeout_s: for the connection.
        read_timeout_s: how long the service may be silent.
        total_timeout_s: from the connection to the last byte of an answer, each time that it is tried.
        max_bytes: of one answer.
        proxy: address of an HTTP proxy. Those of the environment are left out of account, as is ``.netrc``.
    """

    headers: dict[str, str] = Field(default_factory=dict)
    api_key_env: str | None = None
    api_key_header: str = "Authorization: Bearer {key}"
    concurrency: int = Field(default=4, ge=1, le=256)
    requests_per_second: float | None = Field(default=None, gt=0, le=1e6)
    retries: int = Field(default=3, ge=0, le=20)
    backoff_s: float = Field(default=1.0, ge=0, le=LONGEST_BACKOFF_S)
    connect_timeout_s: float = Field(default=10.0, gt=0, le=3600)
    read_timeout_s: float = Field(default=120.0, gt=0, le=3600)
    total_timeout_s: float = Field(default=120.0, gt=0, le=3600)
    max_bytes: Bytes = Field(default=64_000_000, ge=1, le=1_000_000_000)
    proxy: str | None = None

    @model_validator(mode="after")
    def _can_be_sent(self) -> HttpSettings:
        refuse(list(self._http_faults()))
        return self

    def _http_faults(self) -> Iterator[Fault]:
        if self.proxy is not None:
            yield from address_faults("proxy", self.proxy)
        if self.api_key_env is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.api_key_env):
            hint = "export the key under such a name, and say the name here; never the key itself"
            yield Fault(("api_key_env",), "another text", "the name of an environment variable, in capitals", hint)
        if not re.fullmatch(r"[A-Za-z0-9-]+: *[!-z ]*\{key\}", self.api_key_header):
            hint = "such as 'Authorization: Bearer {key}' or 'X-Api-Key: {key}'"
            yield Fault(("api_key_header",), "another text", "a header's name, a colon, and a value with {key}", hint)
        yield from (fault for name, value in self.headers.items() for fault in self._header_faults(name, value))

    def _header_faults(self, name: str, value: str) -> Iterator[Fault]:
        place = ("headers", name)
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not (value.isascii() and value.isprintable()):
            yield Fault(place, "a header that cannot be sent", "letters, digits and '-' in its name, and plain ASCII")
        elif name.lower() in _OWN_HEADERS:
            yield Fault(place, f"a header {name}", "only headers that the request itself does not decide")
        elif name.lower() in {*_SECRET_HEADERS, self.api_key_header.partition(":")[0].lower()}:
            yield Fault(place, f"a header {name}", "no secret in the suite", _NO_SECRETS)


def address_faults(field: str, address: str) -> Iterator[Fault]:
    """What is wrong with an address; the message does not repeat it, since it may hold a password."""
    try:
        parts = urlsplit(address)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or re.search(r"[^!-~]", address):
        yield Fault((field,), "another text", "an address such as http://localhost:8000 or https://api.example.com")
    elif parts.username is not None or parts.password is not None:
        yield Fault((field,), "a user's name or password in the address", "none", _NO_SECRETS)
    elif parts.fragment:
        yield Fault((field,), "a fragment (#...) in the address", "none, since it is never sent")
