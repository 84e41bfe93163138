"""Adapter ``endpoint``: a service that makes images, asked over HTTP and measured as its clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, JsonValue, model_validator

from evalsuite.files import content_key
from evalsuite.models.contract import Capabilities, LoadedModel
from evalsuite.models.endpoint.bodies import template_faults, used
from evalsuite.models.endpoint.connection import connected, library
from evalsuite.models.endpoint.generator import Generator
from evalsuite.models.endpoint.settings import HttpSettings, address_faults
from evalsuite.suite.schema import Fault, refuse
from evalsuite.targets.contract import Target

VERSION = 1
Side = Annotated[int, Field(ge=1, le=65_535)]


class Endpoint(HttpSettings):
    """An image service: one request, one image.

    Every text of ``body`` may hold ``{prompt}``, ``{seed}``, ``{label}`` and ``{sample_id}``; one that is nothing else
    becomes the value itself, so ``"{seed}"`` is sent as a number. An answer holds a PNG, JPEG or WebP file.

    Attributes:
        url: of the service; for ``openai`` what comes before ``/v1``.
        api: ``openai``: POST ``{url}/v1/images/generations`` with model, prompt, n, size and response_format.
            ``post``: POST ``{url}`` with ``body``.
        model: the service's name of the model; for ``openai``.
        size: such as ``1024x1024``; for ``openai``; None leaves it to the service.
        body: for ``post`` the whole JSON object; for ``openai`` fields besides, or in place of, those above, and null
            for a field to leave out.
        image: for ``post``, where the answer's JSON has the image in base64, such as ``images.0``; None where the
            answer is the image.
        condition: what ``body`` uses of a sample: its prompt, its label, or neither.
        class_prompts: what ``{prompt}`` is for class 0, 1, ..., where a service understands words alone.
        seeded: whether the service obeys ``{seed}``; ``openai`` sends it as ``seed`` then.
        seed_bits: seeds are sent below two to this power, since many services take no larger ones.
        image_shape: ``(C, H, W)``; None for that of the first image.
        on_refusal: whether a refused prompt ends the generation, or is a black image that is flagged ``refused``.
        refusal_codes: by which code or type of its error, with status 4xx, an answer is known as a refusal.
        version: counted up when the service changes its model. Without it, samples are never taken from the cache.
        licence: of the images, for the record.
    """

    # Complaints do not repeat the settings, which may hold what should not be there.
    model_config = ConfigDict(hide_input_in_errors=True)

    url: str
    api: Literal["openai", "post"] = "openai"
    model: str | None = None
    size: str | None = None
    body: dict[str, JsonValue] = Field(default_factory=dict)
    image: str | None = None
    condition: Literal["none", "class", "text"] = "text"
    class_prompts: tuple[str, ...] = ()
    seeded: bool = False
    seed_bits: int = Field(default=31, ge=1, le=63)
    image_shape: tuple[Literal[1, 3], Side, Side] | None = None
    on_refusal: Literal["fail", "blank"] = "fail"
    refusal_codes: tuple[str, ...] = ("content_policy_violation", "moderation_blocked", "content_filter")
    version: str | None = None
    licence: str = "unknown"

    package_extra: ClassVar[str] = "endpoint"
    runs_user_code: ClassVar[bool] = False

    @model_validator(mode="after")
    def _fits_together(self) -> Endpoint:
        refuse([*self._address_faults(), *self._api_faults(), *self._body_faults()])
        return self

    def fingerprint(self) -> str:
        """SHA-256 over the declared version, the address and all that may change an image; "" without a version."""
        if self.version is None:
            return ""
        transport = {*HttpSettings.model_fields} - {"headers"}
        settings = self.model_dump(mode="json", exclude={*transport, "licence"})
        return content_key(["endpoint", VERSION, settings])

    def capabilities(self) -> Capabilities:
        """What the settings say. With a rate limit, speed is not measured: it would be that of the limit."""
        return Capabilities(
            condition=self.condition,
            image_shape=self.image_shape,
            seeded=self.seeded,
            timed=self.requests_per_second is None,
            obeys=frozenset(),
        )

    def provenance(self) -> dict[str, str | int | float | None]:
        return {"source": self.address, "model": self.model, "version": self.version, "licence": self.licence}

    def import_libraries(self) -> None:
        """What sends the requests, which imports most of itself for the first client."""
        library().AsyncClient(trust_env=False)

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        with connected(self, self.address) as service:
            yield Generator(self, service)

    @property
    def address(self) -> str:
        """Where requests go."""
        return f"{self.url.rstrip('/')}/v1/images/generations" if self.api == "openai" else self.url

    @property
    def template(self) -> dict[str, JsonValue]:
        """The body of a request, its placeholders not yet filled."""
        if self.api == "post":
            return self.body
        usual: dict[str, JsonValue] = {"model": self.model, "prompt": "{prompt}", "n": 1, "size": self.size}
        usual |= {"response_format": "b64_json", "seed": "{seed}" if self.seeded else None}
        return {name: value for name, value in (usual | self.body).items() if value is not None}

    @property
    def image_path(self) -> str | None:
        """Where the JSON of an answer has the image; None where the answer is the image."""
        return "data.0.b64_json" if self.api == "openai" else self.image

    def _address_faults(self) -> Iterator[Fault]:
        faults = list(address_faults("url", self.url))
        yield from faults
        if not faults and self.api == "openai":
            parts = urlsplit(self.url)
            if parts.query or parts.path.rstrip("/").endswith("/v1"):
                hint = "/v1/images/generations is put behind it"
                yield Fault(("url",), "more than the base of an OpenAI-compatible API", "what comes before /v1", hint)

    def _api_faults(self) -> Iterator[Fault]:
        foreign = {"openai": ("image",), "post": ("model", "size")}[self.api]
        for name in foreign:
            if getattr(self, name) is not None:
                hint = "write it into body" if self.api == "post" else "its answers have the image at data.0.b64_json"
                yield Fault((name,), f"{name} with api: {self.api}", f"no {name}", hint)
        if self.api == "openai" and self.model is None:
            yield Fault((), "api: openai without a model", "a key 'model'", "such as model: gpt-image-1")
        if self.class_prompts and self.condition != "class":
            yield Fault(("class_prompts",), f"class_prompts with condition: {self.condition}", "condition: class")

    def _body_faults(self) -> Iterator[Fault]:
        yield from (fault for name, value in self.body.items() for fault in template_faults(value, ("body", name)))
        found = used(self.template)
        of_class = {"label", "prompt"} if self.class_prompts else {"label"}
        allowed: set[str] = {"none": set(), "class": of_class, "text": {"prompt"}}[self.condition]
        for name in sorted(found & {"prompt", "label"} - allowed):
            hint = "class_prompts says it for each class" if self.condition == "class" else "write a fixed text instead"
            yield Fault(("body",), f"{{{name}}} with condition: {self.condition}", f"no {{{name}}}", hint)
        if allowed and not found & allowed:
            name = "label" if self.condition == "class" else "prompt"
            yield Fault(("body",), f"no {{{name}}} with condition: {self.condition}", f'"{{{name}}}" in it')
        if self.seeded and "seed" not in found:
            yield Fault(("seeded",), "seeded: true, and no {seed} in the body", '"{seed}" in it, or seeded: false')
