"""The adapter for services, against real ones on this machine: what is sent, what is taken, and what goes wrong."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError

from evalsuite.errors import CellError, Failed, SuiteError, Unavailable
from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.endpoint import Endpoint
from evalsuite.suite.load import load_suite
from evalsuite.targets.cpu import Cpu
from tests.conftest import ROOT, call_evalsuite
from tests.models.local_service import Asked, LocalService, Reply, base64_of, json_reply, picture, png
from tests.test_examples import blocks

SECRET = "sk-a/very+secret"
QUICK = {"backoff_s": 0.01, "connect_timeout_s": 5}
BODY = {"seed": "{seed}", "label": "{label}"}
IMAGE = png(picture())


class Flags(NoProbe):
    def __init__(self) -> None:
        self.found: dict[str, list[bool]] = {}

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        self.found[name] = samples.tolist()


def endpoint(service: LocalService, **settings: Any) -> Endpoint:
    """A plain service that is asked for classes, unless said otherwise."""
    usual = {"url": service.url, "api": "post", "body": BODY, "condition": "class", **QUICK}
    return Endpoint.model_validate({**usual, **settings})


def openai(service: LocalService, **settings: Any) -> Endpoint:
    return Endpoint.model_validate({"url": service.url, "model": "tiny", "condition": "text", **QUICK, **settings})


def batch(size: int = 1, prompts: list[str] | None = None) -> Batch:
    ids = np.arange(size, dtype=np.int64)
    return Batch(ids, ids + 2**40, None if prompts else ids % 3, prompts)


def generated(adapter: Endpoint, asked: Batch | None = None, probe: NoProbe | None = None) -> NDArray[np.uint8]:
    with adapter.open(Cpu()) as model:
        return model.generate(asked or batch(), probe or NoProbe())


def drawn(asked: Asked) -> Reply:
    return Reply(png(picture(**asked.json)))


def always(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda asked: reply


def first(*replies: Reply) -> Callable[[Asked], Reply]:
    """These replies in turn, then an image."""
    return lambda asked: replies[asked.number] if asked.number < len(replies) else Reply(IMAGE)


@contextmanager
def failing(answer: Callable[[Asked], Reply], message: str, **settings: Any) -> Iterator[LocalService]:
    """One request to a service fails with such a message; the service can be looked at afterwards."""
    with LocalService(answer) as service:
        with pytest.raises(Failed, match=message):
            generated(endpoint(service, **settings))
        yield service


# --- what is sent, and what is taken -------------------------------------------------------------------------------


def test_a_post_fills_the_template_and_takes_an_image() -> None:
    with LocalService(drawn) as service:
        images = generated(endpoint(service, url=f"{service.url}/draw?v=2"), batch(3))
    expected = [picture((2**40 + i) % 2**31, i) for i in range(3)]
    assert np.array_equal(images, np.stack(expected))
    assert {asked.path for asked in service.asked} == {"/draw?v=2"}
    assert {asked.headers["content-type"] for asked in service.asked} == {"application/json"}


def test_openai_sends_the_usual_fields_and_takes_base64() -> None:
    image = picture(channels=3)
    with LocalService(always(json_reply({"data": [{"b64_json": base64_of(png(image))}]}))) as service:
        adapter = openai(service, size="8x8", body={"quality": "low"}, seeded=True)
        images = generated(adapter, batch(1, ["a cat"]))
    [asked] = service.asked
    assert asked.path == "/v1/images/generations"
    expected = {"model": "tiny", "prompt": "a cat", "n": 1, "size": "8x8", "response_format": "b64_json"}
    assert asked.json == expected | {"quality": "low", "seed": 2**40 % 2**31}
    assert np.array_equal(images, image[None])


def test_fields_of_openai_can_be_left_out() -> None:
    with LocalService(always(json_reply({"data": [{"b64_json": base64_of(IMAGE)}]}))) as service:
        generated(openai(service, body={"response_format": None, "prompt": "in oil: {prompt}"}), batch(1, ["a cat"]))
    assert service.asked[0].json == {"model": "tiny", "prompt": "in oil: a cat", "n": 1}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_json_with_an_image_at_a_path(kind: str, prefix: str) -> None:
    content = {"images": [prefix + base64_of(png(np.full((3, 16, 16), 128, np.uint8), kind))]}
    with LocalService(always(json_reply(content))) as service:
        images = generated(endpoint(service, image="images.0"))
    assert images.shape == (1, 3, 16, 16)
    assert np.abs(images.astype(int) - 128).max() <= 2


HOSTILE = [
    'a "quoted" \\ cat',
    "two\nlines\t",
    "猫 🐈‍⬛",
    "{seed} {label} {prompt}",
    '", "seed": 7, "x": "',
    "%s {0} ${HOME}",
]


@pytest.mark.parametrize("prompt", HOSTILE)
def test_a_prompt_survives_as_it_is(prompt: str) -> None:
    body = {"prompt": "{prompt}", "deep": [{"text": "<{prompt}|{sample_id}>"}], "{prompt}": 1, "seed": "{seed}"}
    with LocalService(always(Reply(IMAGE))) as service:
        generated(endpoint(service, body=body, condition="text"), batch(1, [prompt]))
    assert service.asked[0].json == {
        "prompt": prompt, "deep": [{"text": f"<{prompt}|0>"}], "{prompt}": 1, "seed": 2**40 % 2**31,
    }  # fmt: skip


def test_class_prompts_are_for_services_that_understand_words_alone() -> None:
    with LocalService(always(json_reply({"data": [{"b64_json": base64_of(IMAGE)}]}))) as service:
        adapter = openai(service, condition="class", class_prompts=["a shirt", "a shoe", "a bag"], concurrency=1)
        generated(adapter, batch(4))
        assert [asked.json["prompt"] for asked in service.asked] == ["a shirt", "a shoe", "a bag", "a shirt"]
        with pytest.raises(Failed, match="found 2 of them, expected one for class 2"):
            generated(adapter.model_copy(update={"class_prompts": ("a shirt", "a shoe")}), batch(4))


def test_a_suite_without_classes_is_refused() -> None:
    ids = np.arange(2, dtype=np.int64)
    with LocalService(drawn) as service, pytest.raises(Failed, match="asks for no classes"):
        generated(endpoint(service), Batch(ids, ids))


def test_images_keep_the_order_of_the_samples() -> None:
    def late_first(asked: Asked) -> Reply:
        return Reply(png(picture(**asked.json)), delay_s=0.01 * (12 - asked.json["seed"] % 12))

    with LocalService(late_first) as service:
        images = generated(endpoint(service, concurrency=6), batch(12))
    assert np.array_equal(images, np.stack([picture((2**40 + i) % 2**31, i % 3) for i in range(12)]))


def test_cookies_are_not_kept() -> None:
    with LocalService(always(Reply(IMAGE, headers={"Set-Cookie": "machine=3"}))) as service:
        generated(endpoint(service, concurrency=1), batch(2))
    assert not [asked for asked in service.asked if "cookie" in asked.headers]


def test_headers_are_sent() -> None:
    with LocalService(always(Reply(IMAGE))) as service:
        generated(endpoint(service, headers={"Accept": "image/*"}))
    assert service.asked[0].headers["accept"] == "image/*"


# --- how often, and how many at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 3, 6])
def test_no_more_requests_than_allowed_are_under_way(concurrency: int) -> None:
    with LocalService(always(Reply(IMAGE, delay_s=0.03))) as service:
        generated(endpoint(service, concurrency=concurrency), batch(9))
    assert service.most_at_once == concurrency


def test_the_rate_limit_holds_over_batches_and_retries() -> None:
    with (
        LocalService(first(Reply(b"", status=500))) as service,
        endpoint(service, requests_per_second=20, concurrency=8).open(Cpu()) as model,
    ):
        model.generate(batch(4), NoProbe())
        model.generate(batch(3), NoProbe())
    times = [asked.at_s for asked in service.asked]
    assert len(times) == 8
    assert times[-1] - times[0] > 0.9 * 7 / 20


def test_retry_after_is_waited_for_by_all_and_then_the_rate_limit_holds() -> None:
    busy = Reply(b"slow down", status=429, headers={"Retry-After": "0.5"})
    with LocalService(first(busy)) as service:
        assert len(generated(endpoint(service, requests_per_second=20), batch(4))) == 4
    times = np.array([asked.at_s for asked in service.asked])
    assert len(times) == 5
    assert times[1] - times[0] > 0.45
    assert times[-1] - times[1] > 0.9 * 3 / 20


def test_retry_after_may_be_a_date() -> None:
    with LocalService(lambda asked: busy(asked) if asked.number == 0 else Reply(IMAGE)) as service:

        def busy(asked: Asked) -> Reply:
            return Reply(status=503, headers={"Retry-After": formatdate(time.time() + 2, usegmt=True)})

        generated(endpoint(service))
    assert service.asked[1].at_s - service.asked[0].at_s > 0.9


def test_a_long_retry_after_is_left_to_a_later_run() -> None:
    busy = Reply(b"quota", status=429, headers={"Retry-After": "3600"})
    with failing(always(busy), "answered 429 Too Many Requests: quota, and asks to wait 3600 s; run again") as service:
        assert len(service.asked) == 1


@pytest.mark.parametrize("odd", ["soon", "-3", "1e400", ""])
def test_a_retry_after_that_says_nothing_is_passed_over(odd: str) -> None:
    with LocalService(first(Reply(status=503, headers={"Retry-After": odd}))) as service:
        generated(endpoint(service))
    assert len(service.asked) == 2


@pytest.mark.parametrize("setback", [Reply(status=500), Reply(status=408), Reply(lost=True), Reply(IMAGE, cut=5)])
def test_what_may_pass_is_tried_again(setback: Reply) -> None:
    with LocalService(first(setback, setback)) as service:
        assert np.array_equal(generated(endpoint(service)), picture()[None])
    assert len(service.asked) == 3


def test_the_wait_grows() -> None:
    with failing(
        always(Reply(b"oh", status=502)), r"answered 502 Bad Gateway: oh \(tried 4 times\)", backoff_s=0.05
    ) as service:
        times = np.array([asked.at_s for asked in service.asked])
    assert np.all(np.diff(times) >= 0.5 * 0.05 * np.array([1, 2, 4]))


# --- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "settings", "message"),
    [
        (
            Reply(IMAGE, delay_s=5),
            {"read_timeout_s": 0.1},
            "sample 0: the service was silent for read_timeout_s, 0.1 s",
        ),
        (
            Reply(IMAGE, drip_s=0.05),
            {"total_timeout_s": 0.2},
            r"took longer than total_timeout_s, 0.2 s \(tried once\)",
        ),
        (Reply(lost=True), {}, "the service was lost: RemoteProtocolError"),
        (Reply(IMAGE, cut=30), {}, "the service was lost: RemoteProtocolError"),
    ],
)
def test_patience_has_an_end(reply: Reply, settings: dict[str, Any], message: str) -> None:
    begin = time.monotonic()
    with failing(always(reply), message, retries=0, **settings):
        assert time.monotonic() - begin < 3


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(IMAGE[:-40]), r"sample 0: its image: cannot be read as an image.* \(the answer is image/png\)"),
        (Reply(b"garbage"), "cannot be read as an image of the formats .* is it damaged"),
        (Reply(b""), "cannot be read as an image"),
        (Reply(b"<html><h1>Welcome</h1>", "text/html"), r"the answer is text/html: <html><h1>Welcome</h1>"),
        (Reply(b"x" * 70_000, "text/plain"), "the answer is text/plain: 70000 bytes"),
        (Reply(b"\x1b[31mred\x07\r\n\xe2\x80\xaeoff", "text/plain"), r"text/plain: \[31mred off\)$"),
        (Reply(IMAGE, headers={"Content-Encoding": "gzip"}), r"packed its answer \(gzip\)"),
        (Reply(status=302, headers={"Location": "http://192.0.2.1/x"}), "302 Found to http://192.0.2.1/x; redirects"),
        (Reply(b"no key", "text/plain", 401), "401 Unauthorized: no key; is api_key_env named"),
        (Reply(b"gone", "text/plain", 404), "404 Not Found: gone; is url right"),
        (Reply(b"odd", "text/plain", 499), "the service answered 499: odd"),
    ],
)
def test_answers_that_are_no_image(reply: Reply, message: str) -> None:
    with failing(always(reply), message) as service:
        assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "found no JSON, expected an image in it at images.0"),
        (b"[" * 100_000, "found no JSON"),
        (b'{"image": 1}', "found an object without 'images' in the JSON"),
        (b'{"images": []}', "found a list of 0 without '0' in the JSON"),
        (b'{"images": null}', "found null without '0' in the JSON"),
        (b'{"images": [3]}', "found a number or a truth value at images.0, expected an image in base64"),
        (b'{"images": ["http://192.0.2.1/x.png"]}', "no base64, expected an image; an address is not followed"),
        (b'{"images": ["AAAA"]}', "its image: cannot be read as an image"),
    ],
)
def test_json_that_holds_no_image(body: bytes, message: str) -> None:
    with failing(always(Reply(body, "application/json")), message, image="images.0"):
        pass


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    with failing(always(Reply(b"x" * 5_000_000)), "more than max_bytes, 1000 bytes", max_bytes=1000) as service:
        assert len(service.asked) == 1


def test_a_decompression_bomb_is_refused() -> None:
    bomb = png(np.zeros((1, 9000, 9000), np.uint8))
    assert len(bomb) < 200_000
    with failing(always(Reply(bomb)), "9000x9000 pixels are more than"):
        pass


@pytest.mark.parametrize(("declared", "source"), [(None, "the first image"), ((1, 8, 8), "image_shape")])
def test_images_of_another_size_are_refused(declared: tuple[int, int, int] | None, source: str) -> None:
    def growing(asked: Asked) -> Reply:
        return Reply(png(picture(side=8 + asked.number)))

    with LocalService(growing) as service:
        message = rf"sample 1: found an image of shape \[1, 9, 9\], expected \[1, 8, 8\] as {source} has it"
        with pytest.raises(Failed, match=message):
            generated(endpoint(service, image_shape=declared, concurrency=1), batch(2))


def test_a_service_that_has_died() -> None:
    with LocalService(drawn) as service, endpoint(service, retries=1).open(Cpu()) as model:
        model.generate(batch(), NoProbe())
        service.close()
        with pytest.raises(Failed, match=r"the service was lost: ConnectError: .* \(tried 2 times\); is it overloaded"):
            model.generate(batch(), NoProbe())


def test_one_failure_breaks_the_others_off() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(b"no", "text/plain", 400, delay_s=0.05) if asked.number == 0 else Reply(IMAGE, delay_s=5)

    begin = time.monotonic()
    with LocalService(answer) as service:
        with pytest.raises(Failed, match="400 Bad Request: no"):
            generated(endpoint(service), batch(8))
        assert time.monotonic() - begin < 3


# --- refusals ------------------------------------------------------------------------------------------------------


def refusing(*numbers: int, code: str = "moderation_blocked") -> Callable[[Asked], Reply]:
    refusal = json_reply({"error": {"code": code, "message": "not that"}}, status=400)
    return lambda asked: refusal if asked.json["seed"] - 2**40 % 2**31 in numbers else drawn(asked)


def test_a_refusal_ends_the_generation_and_says_what_else_there_is() -> None:
    with failing(refusing(0), r"refused the prompt \(moderation_blocked\): .*not that.*; with on_refusal: blank"):
        pass


def test_a_refusal_may_be_a_black_image_that_is_flagged() -> None:
    flags = Flags()
    with LocalService(refusing(0, 2)) as service:
        images = generated(endpoint(service, on_refusal="blank"), batch(4), flags)
    assert flags.found == {"refused": [True, False, True, False]}
    assert [bool(image.any()) for image in images] == [False, True, False, True]


def test_without_refusals_nothing_is_flagged() -> None:
    flags = Flags()
    with LocalService(drawn) as service:
        generated(endpoint(service, on_refusal="blank"), batch(2), flags)
    assert flags.found == {}


def test_all_refused_needs_a_declared_shape() -> None:
    with LocalService(refusing(0, 1)) as service:
        with pytest.raises(Failed, match="declare image_shape"):
            generated(endpoint(service, on_refusal="blank"), batch(2))
        assert generated(endpoint(service, on_refusal="blank", image_shape=(3, 8, 8)), batch(2)).shape == (2, 3, 8, 8)


def test_other_mistakes_are_no_refusal() -> None:
    message = "the service answered 400 Bad Request: .*invalid_size"
    with failing(refusing(0, code="invalid_size"), message, on_refusal="blank"):
        pass
    with LocalService(refusing(0, code="own_word")) as service:
        adapter = endpoint(service, on_refusal="blank", refusal_codes=["own_word"], image_shape=(1, 8, 8))
        assert not generated(adapter).any()


# --- what is not there ---------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("field", ["url", "proxy"])
def test_nobody_listens(field: str) -> None:
    with LocalService(drawn) as service:
        nowhere = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(Unavailable, match=rf"{nowhere[7:]} cannot be reached: .*; is it running"):
            generated(endpoint(service, **{field: nowhere}))
    assert service.asked == []


def test_connections_that_nobody_accepts() -> None:
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        adapter = Endpoint(
            url=f"http://127.0.0.1:{address[1]}", model="m", connect_timeout_s=0.2, read_timeout_s=3, retries=0
        )
        with adapter.open(Cpu()) as model:
            for _ in range(3):  # the queue of the listener holds the connections that nobody accepts, and is small
                waiting = sockets.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            with pytest.raises(Failed, match=r"accepted no connection within connect_timeout_s, 0\.2 s \(tried once\)"):
                model.generate(batch(1, ["a cat"]), NoProbe())
        with pytest.raises(Unavailable, match="cannot be reached: no connection in time; is it running"):
            generated(adapter)


def test_a_name_that_is_none() -> None:
    adapter = Endpoint(url="http://name.invalid", model="m")
    with pytest.raises(Unavailable, match=r"name\.invalid:80 cannot be reached"):
        generated(adapter)


def test_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with LocalService(drawn) as service, pytest.raises(Unavailable, match=r"pip install 'evalsuite\[endpoint\]'"):
        generated(endpoint(service))


def test_the_environment_decides_nothing_but_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hidden")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with LocalService(drawn) as service:
        generated(endpoint(service))
    assert "authorization" not in service.asked[0].headers


def test_a_proxy_that_is_declared_is_used() -> None:
    with LocalService(drawn) as proxy:
        generated(endpoint(proxy, url="http://service.invalid/draw", proxy=proxy.url))
    assert proxy.asked[0].path == "http://service.invalid/draw"


# --- the key -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "header", "text"),
    [
        ({}, "authorization", f"Bearer {SECRET}"),
        ({"api_key_header": "X-Api-Key: {key}"}, "x-api-key", SECRET),
        ({"api_key_header": "Authorization: Key {key}"}, "authorization", f"Key {SECRET}"),
    ],
)
def test_the_key_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], header: str, text: str
) -> None:
    monkeypatch.setenv("OWN_KEY", f"{SECRET}\n")
    with LocalService(drawn) as service:
        adapter = endpoint(service, api_key_env="OWN_KEY", version="1", **settings)
        generated(adapter)
    assert service.asked[0].headers[header] == text
    assert SECRET not in f"{adapter!r} {adapter.provenance()} {adapter.model_dump_json()}"


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, Unavailable, "the environment variable OWN_KEY is not set"),
        ("  ", Unavailable, "the environment variable OWN_KEY is not set"),
        ("a\nb", Failed, "holds characters that no header can carry"),
        ("schlüssel", Failed, "holds characters that no header can carry"),
    ],
)
def test_a_key_that_cannot_be_sent(
    monkeypatch: pytest.MonkeyPatch, value: str | None, error: type[CellError], message: str
) -> None:
    monkeypatch.delenv("OWN_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("OWN_KEY", value)
    with LocalService(drawn) as service, pytest.raises(error, match=message) as caught:
        generated(endpoint(service, api_key_env="OWN_KEY"))
    assert value is None or not value.strip() or value not in str(caught.value)


def echoed(asked: Asked) -> dict[str, Any]:
    """All the ways in which a service may give a key back."""
    key = asked.headers["authorization"].removeprefix("Bearer ")
    in_an_address = key.replace("/", "%2F").replace("+", "%2B")
    return {"plainly": key, "in json": key.replace("/", "\\/"), "in an address": in_an_address}


ECHOES: dict[str, Callable[[Asked, str], Reply]] = {
    "refused": lambda asked, key: Reply(f"your key {key} is wrong".encode(), "text/plain", 401),
    "overloaded": lambda asked, key: Reply(f"{key}".encode(), "text/plain", 503),
    "redirected": lambda asked, key: Reply(status=307, headers={"Location": f"http://192.0.2.1/?key={key}"}),
    "typed": lambda asked, key: Reply(b"x", f"text/{key}"),
    "packed": lambda asked, key: Reply(b"x", headers={"Content-Encoding": key}),
    "no image": lambda asked, key: Reply(f"{' ' * 5000}{key}".encode(), "text/plain"),
    "moderated": lambda asked, key: Reply(f'{{"code": "content_filter", "k": "{key}"}}'.encode(), status=400),
}


@pytest.mark.parametrize("spelling", ["plainly", "in json", "in an address"])
@pytest.mark.parametrize("way", ECHOES)
def test_a_key_that_comes_back_is_not_shown(monkeypatch: pytest.MonkeyPatch, way: str, spelling: str) -> None:
    monkeypatch.setenv("OWN_KEY", SECRET)

    def echo(asked: Asked) -> Reply:
        return ECHOES[way](asked, echoed(asked)[spelling])

    with LocalService(echo) as service, pytest.raises(Failed) as caught:
        generated(endpoint(service, api_key_env="OWN_KEY", retries=0))
    assert "***" in str(caught.value)
    assert "very" not in str(caught.value)


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "https://me:hidden@host"}, "a user's name or password in the address, expected none"),
        ({"url": "https://hidden@host"}, "a user's name or password in the address, expected none"),
        ({"url": "ftp://hidden"}, "expected an address such as http"),
        ({"url": "http://host:99999/hidden"}, "expected an address such as http"),
        ({"url": "http://host/hidden\n"}, "expected an address such as http"),
        ({"url": "http://host/#hidden"}, "a fragment"),
        ({"url": "http://host/v1/"}, "expected what comes before /v1"),
        ({"proxy": "http://me:hidden@host"}, "proxy: found a user's name or password"),
        ({"api_key_env": "sk-hidden"}, "expected the name of an environment variable, in capitals"),
        ({"api_key_header": "Authorization: Bearer hidden"}, "a value with {key}"),
        ({"headers": {"Authorization": "hidden"}}, "expected no secret in the suite"),
        ({"headers": {"X-Own": "hidden"}, "api_key_header": "x-own: {key}"}, "expected no secret in the suite"),
        ({"headers": {"Host": "hidden"}}, "only headers that the request itself does not decide"),
        ({"headers": {"Accept": "hidden\r\nX: y"}}, "a header that cannot be sent"),
        ({"model": None}, "expected a key 'model'"),
        ({"image": "hidden"}, "found image with api: openai"),
        ({"api": "post", "body": {"p": "{prompt}"}}, "found model with api: post"),
        ({"class_prompts": ["hidden"]}, "expected condition: class"),
        ({"condition": "none"}, "found {prompt} with condition: none, expected no {prompt}"),
        ({"condition": "class"}, "body: found {prompt} with condition: class"),
        ({"body": {"prompt": "a cat"}}, "found no {prompt} with condition: text"),
        ({"body": {"extra": "{promt}"}}, "body.extra: found '{promt}', expected one of the placeholders"),
        ({"body": {"extra": [{"seed": None}]}}, 'body.extra: found {seed} without quotes, expected "{seed}"'),
        ({"seeded": True, "body": {"seed": 7}}, "found seeded: true, and no {seed} in the body"),
        ({"image_shape": [2, 8, 8]}, "image_shape"),
        ({"seed_bits": 64}, "seed_bits"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Endpoint.model_validate({"url": "http://host", "model": "m", **settings})
    faults = [str(fault) for error in caught.value.errors() for fault in error.get("ctx", {}).get("faults", ())]
    said = "; ".join([*faults, str(caught.value)])
    assert message in said
    assert "hidden" not in said


def test_a_password_in_a_suite_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(
        "suite: s\ntask: class_conditional\nreference: {dataset: fashion-mnist}\nsampling: {num_samples: 10}\n"
        "targets: {cpu: {device: cpu}}\nmetrics: [fid]\nmodels:\n  mine:\n    role: control\n    adapter: endpoint\n"
        "    model: m\n    condition: none\n    body: {prompt: a cat}\n    url: https://me:hidden@host\n",
        "utf-8",
    )
    with pytest.raises(SuiteError) as caught:
        load_suite(tmp_path / "suite.yaml")
    assert "suite.yaml:14:10: models.mine.url: found a user's name or password in the address" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_fingerprint_is_of_the_version_and_of_what_may_change_an_image() -> None:
    def fingerprint(**settings: Any) -> str:
        usual = {"url": "http://host", "model": "m", "version": "1"}
        return Endpoint.model_validate({**usual, **settings}).fingerprint()

    changed = [
        {"version": "2"}, {"url": "http://other"}, {"model": "n"}, {"size": "8x8"}, {"body": {"quality": "low"}},
        {"seeded": True}, {"seed_bits": 32}, {"on_refusal": "blank"}, {"headers": {"Accept": "image/png"}},
    ]  # fmt: skip
    assert len({fingerprint(), *(fingerprint(**settings) for settings in changed)}) == 1 + len(changed)
    same = [{"retries": 9}, {"concurrency": 1}, {"api_key_env": "KEY"}, {"proxy": "http://proxy"}, {"licence": "MIT"}]
    assert {fingerprint(**settings) for settings in same} == {fingerprint()}
    assert fingerprint(version=None) == ""


def test_what_it_can_do() -> None:
    adapter = Endpoint(url="http://host", model="m", image_shape=(3, 64, 64), version="1", licence="MIT")
    capabilities = adapter.capabilities()
    assert (capabilities.condition, capabilities.image_shape, capabilities.seeded) == ("text", (3, 64, 64), False)
    assert capabilities.timed
    assert not capabilities.noise
    assert not adapter.model_copy(update={"requests_per_second": 2.0}).capabilities().timed
    source = "http://host/v1/images/generations"
    assert adapter.provenance() == {"source": source, "model": "m", "version": "1", "licence": "MIT"}


def test_settings_survive_json() -> None:
    adapter = Endpoint(url="http://host", model="m", body={"deep": [{"x": "{seed}"}, None, 1.5]}, image_shape=(1, 8, 8))
    assert Endpoint.model_validate(json.loads(adapter.model_dump_json())) == adapter


# --- in a run ------------------------------------------------------------------------------------------------------

SUITE = """\
suite: service
task: class_conditional
reference: {{dataset: fashion-mnist, split: test}}
sampling: {{num_samples: 40, seed: 0}}
models:
  locked: &service
    role: control
    adapter: endpoint
    url: {url}/locked
    api: post
    condition: class
    seeded: true
    body: {{seed: "{{seed}}", label: "{{label}}"}}
    version: "1"
    api_key_env: OWN_KEY
    on_refusal: blank
    retries: 1
    backoff_s: 0.01
  mortal:
    <<: *service
    url: {url}/mortal
targets: {{cpu: {{device: cpu, threads: 1, batch_size: 10}}}}
metrics: [{{kid: {{extractor: pixels}}}}]
report: {{formats: [html, json]}}
"""


def run(folder: Path, service: LocalService, name: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, document and all output of one run in a folder, with the cache beside it."""
    (folder / "suite.yaml").write_text(SUITE.format(url=service.url), "utf-8")
    arguments = ("run", "suite.yaml", "--json", "--out", name, "--cache", "cache")
    done = call_evalsuite(*arguments, cwd=folder, OWN_KEY=SECRET)
    return done.returncode, json.loads(done.stdout), done.stdout + done.stderr


def holding(folder: Path, text: str) -> list[Path]:
    """Files below a folder that hold a text."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_service_that_dies_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    def draw(asked: Asked) -> Reply:
        return Reply(png(picture(**asked.json, side=28)))

    def dying(asked: Asked) -> Reply:
        if asked.path == "/locked":
            return Reply(f"{asked.headers['authorization']} is no key".encode(), "text/plain", 401)
        if len(asked_of(service, "/mortal")) > 25:
            threading.Thread(target=service.close).start()
            return Reply(lost=True)
        return draw(asked)

    service = LocalService(dying)
    code, document, output = run(tmp_path, service, "first")
    assert code == 4
    reasons = {gap["model"]: gap["reason"] for gap in document["missing"]}
    assert "the service answered 401 Unauthorized: Bearer *** is no key" in reasons["locked"]
    assert "(tried 2 times); is it overloaded or down? Run again later" in reasons["mortal"]
    stored = asked_of(service, "/mortal")[:20]

    def refusing_one(asked: Asked) -> Reply:
        refusal = json_reply({"error": {"code": "content_filter"}}, status=400)
        return refusal if asked.json in asked_of(again, "/mortal")[3:4] else draw(asked)

    with LocalService(refusing_one, service.port) as again:
        code, document, more = run(tmp_path, again, "second")
    assert code == 0
    assert document["missing"] == []
    assert len(asked_of(again, "/mortal")) == 20
    assert not [body for body in asked_of(again, "/mortal") if body in stored]
    assert "refused" in (tmp_path / "second" / "record.json").read_text("utf-8")

    assert "very" not in output + more
    assert holding(tmp_path, "very+secret") == []
    assert holding(tmp_path, "401 Unauthorized") != []


def asked_of(service: LocalService, path: str) -> list[Any]:
    return [asked.json for asked in service.asked if asked.path == path]


def test_a_service_that_is_not_there_is_no_failure_of_the_run(tmp_path: Path) -> None:
    with LocalService(drawn) as service:
        pass
    code, document, _ = run(tmp_path, service, "out")
    assert code == 0
    [(kind, reason)] = {(gap["kind"], gap["reason"]) for gap in document["missing"]}
    assert kind == "unavailable"
    assert "cannot be reached" in reason


# --- the page ------------------------------------------------------------------------------------------------------

PAGE = ROOT / "docs" / "models" / "endpoint.md"


@pytest.fixture
def shown_service(tmp_path: Path) -> Iterator[str]:
    """The address of the page's service, which runs from ``tmp_path``."""
    [source] = blocks(PAGE, "python")
    (tmp_path / "service.py").write_text(source, "utf-8")
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "service.py", str(port)], cwd=tmp_path, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until_open(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def wait_until_open(port: int, patience_s: float = 30) -> None:
    end = time.monotonic() + patience_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert time.monotonic() < end, "the service never listened"
            time.sleep(0.05)


@pytest.mark.slow
def test_the_service_and_the_suite_of_the_page(tmp_path: Path, shown_service: str) -> None:
    answer = httpx2.post(shown_service, json={"seed": 1, "label": 2, "noise": 40}, trust_env=False)
    assert answer.headers["content-type"] == "image/png"
    suite, _ = blocks(PAGE, "yaml")
    (tmp_path / "service.yaml").write_text(suite.replace("http://127.0.0.1:8017", shown_service), "utf-8")
    done = call_evalsuite("run", "service.yaml", "--profile", "ci", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {gap["name"] for gap in document["missing"]} <= {"latency_p90", "latency_p95", "latency_p99"}
    [psnr] = [m for m in document["measurements"] if m["name"] == "psnr"]
    assert psnr["n"] == 100
    assert {m["model"] for m in document["measurements"] if m["name"] == "throughput"} == {"sharp", "noisy"}


def test_the_page_tells_every_setting_and_its_default() -> None:
    table = PAGE.read_text("utf-8").partition("## Settings")[2].partition("\n\nProxies")[0]
    told: dict[str, Any] = {}
    for row in table.strip().splitlines()[2:]:
        names, default = row.split("|")[1:3]
        fields = re.findall(r"`(\w+)`", names)
        defaults = yaml.safe_load(f"[{default.replace('`', '')}]") or [None] * len(fields)
        told |= dict(zip(fields, defaults, strict=True))
    assert told.pop("url") is None
    assert told.keys() == Endpoint.model_fields.keys() - {"url"}
    plain = Endpoint(url="http://host", model="m")
    adapter = Endpoint.model_validate({"url": "http://host", **told, "model": "m"})
    assert adapter == plain


def test_the_hosted_example_of_the_page() -> None:
    _, hosted = blocks(PAGE, "yaml")
    [settings] = yaml.safe_load(hosted)["models"].values()
    adapter = Endpoint.model_validate({key: value for key, value in settings.items() if key not in ("role", "adapter")})
    assert adapter.template == {"model": "image-1", "prompt": "{prompt}", "n": 1, "size": "1024x1024", "quality": "low"}
