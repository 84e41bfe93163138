"""Batches of samples -> requests to a service -> images that have one shape, or a sentence about what came instead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.imaging import read_image
from evalsuite.models.contract import Batch, Probe
from evalsuite.models.endpoint.bodies import error_codes, filled, image_in
from evalsuite.models.endpoint.service import Answer, Request, Service

if TYPE_CHECKING:
    from evalsuite.models.endpoint import Endpoint

REFUSED = "refused"
"""The flag of samples that the service would not make."""

_HINTS = {
    401: "; is api_key_env named, and the key in it right?",
    403: "; does the key in api_key_env allow that?",
    404: "; is url right, and the model's name?",
}


class Generator:
    """A loaded model whose images come from a service."""

    def __init__(self, settings: Endpoint, service: Service) -> None:
        self._settings, self._service = settings, service
        self._template, self._image_path = settings.template, settings.image_path
        self._shape = settings.image_shape

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """Images of a batch, one request each.

        Raises:
            Failed: the service gave no image, or images of different sizes; says which sample, and what it said.
        """
        with probe.stage("request"):
            requests = [self._request(batch, i) for i in range(len(batch.sample_ids))]
            images = self._service.post(requests, self._image)
        refused = np.array([image is None for image in images])
        if refused.any():
            probe.flag(REFUSED, refused)
        if self._shape is None:
            raise Failed("every prompt so far was refused, so the size of an image is unknown; declare image_shape")
        blank = np.zeros(self._shape, np.uint8)
        return np.stack([blank if image is None else image for image in images])

    def _request(self, batch: Batch, i: int) -> Request:
        body = filled(self._template, self._values(batch, i))
        return Request(f"sample {batch.sample_ids[i]}", json.dumps(body).encode(), int(batch.seeds[i]))

    def _values(self, batch: Batch, i: int) -> dict[str, str | int]:
        """What the placeholders of one sample stand for.

        Raises:
            Failed: the suite asks for no classes, or for one that has no prompt.
        """
        values: dict[str, str | int] = {"sample_id": int(batch.sample_ids[i])}
        values["seed"] = int(batch.seeds[i]) % 2**self._settings.seed_bits
        if batch.prompts is not None:
            values["prompt"] = batch.prompts[i]
        if batch.labels is not None:
            values["label"] = label = int(batch.labels[i])
            prompts = self._settings.class_prompts
            if prompts and label >= len(prompts):
                raise Failed(f"class_prompts: found {len(prompts)} of them, expected one for class {label} too")
            values |= {"prompt": prompts[label]} if prompts else {}
        elif self._settings.condition == "class":
            raise Failed("the suite asks for no classes; use task: class_conditional, or condition: none")
        return values

    def _image(self, answer: Answer) -> NDArray[np.uint8] | None:
        """uint8 ``[C, H, W]``; None where the prompt was refused and may be."""
        if answer.status >= 400:
            self._take_refusal(answer)
            return None
        try:
            file = answer.body if self._image_path is None else image_in(answer.body, self._image_path)
            image = read_image(file, "its image")
        except Failed as error:
            said = "" if answer.content_type.startswith("image/") else f": {self._service.shown(answer.body)}"
            raise Failed(f"{answer.name}: {error} (the answer is {answer.content_type or 'untyped'}{said})") from error
        if self._shape is not None and image.shape != self._shape:
            expected = "image_shape" if self._settings.image_shape else "the first image"
            raise Failed(
                f"{answer.name}: found an image of shape {list(image.shape)}, expected {list(self._shape)} as "
                f"{expected} has it; images of one size are compared, and resizing would change what is measured"
            )
        self._shape = image.shape
        return image

    def _take_refusal(self, answer: Answer) -> None:
        """Accept an answer of status 4xx, if it refuses the prompt and that is allowed.

        Raises:
            Failed: it does not, or it is not.
        """
        settings, said = self._settings, self._service.shown(answer.body)
        codes = sorted(error_codes(answer.body).intersection(settings.refusal_codes))
        if not codes:
            raise Failed(f"{answer.name}: the service answered {answer.words}: {said}{_HINTS.get(answer.status, '')}")
        if settings.on_refusal == "fail":
            raise Failed(
                f"{answer.name}: the service refused the prompt ({', '.join(codes)}): {said}; with on_refusal: blank "
                "such a sample is a black image, flagged and counted"
            )
