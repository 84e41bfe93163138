"""The bench that checks work at: the model in its process, the batches it is given, and images compared."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.executors.contract import Executor
from evalsuite.models.contract import Batch, Capabilities
from evalsuite.pipeline.contract_check.examinee import Examinee, Trial
from evalsuite.pipeline.generate import checked_images
from evalsuite.profiling.subject import SubjectSpec

Images = NDArray[np.uint8]
Verdict = Literal["ok", "warning", "wrong", "not applicable"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        verdict: only ``wrong`` breaks the contract.
        found, expected: sentences without a full stop; ``expected`` is empty where all is well.
        advice: what to try; may be empty.
    """

    verdict: Verdict
    found: str
    expected: str = ""
    advice: str = ""


class Broken(Exception):
    """The check that asked for images ends here, because there are none."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.found)
        self.finding = finding


class Idle(Exception):
    """There is nothing to check, and why."""


class Place:
    """Where the model runs: in one process at a time, so that it needs its memory once."""

    def __init__(self, executor: Executor, spec: SubjectSpec, stack: ExitStack, timeout_s: float) -> None:
        self.executor, self.spec, self.stack, self.timeout_s = executor, spec, stack, timeout_s

    def open(self) -> Trial:
        """Load the model in a fresh process; the one before ends."""
        self.stack.close()
        self.worker = self.stack.enter_context(self.executor.open(Examinee, (self.spec,)))
        trial: Trial = self.worker.call("open", timeout_s=self.timeout_s)
        return trial

    def generate(self, batch: Batch) -> Trial:
        trial: Trial = self.worker.call("generate", batch, timeout_s=self.timeout_s)
        return trial


class Bench:
    """The model at work, and what several checks look at."""

    def __init__(self, place: Place, capabilities: Capabilities, batch: Batch) -> None:
        self.place, self.capabilities, self.batch = place, capabilities, batch
        # A difference of t before rounding can be one level more after it.
        tolerance = capabilities.tolerance
        self.most_levels = int(tolerance) + 1 if tolerance > 0 else 0

    @cached_property
    def opened(self) -> Trial:
        return self.place.open()

    @cached_property
    def whole(self) -> Trial:
        """The whole batch.

        Raises:
            Idle: the model is not open.
        """
        if self.opened.error:
            raise Idle("the model is not open")
        return self.place.generate(self.batch)

    @cached_property
    def images(self) -> Images:
        """Images of the whole batch.

        Raises:
            Idle: there are none.
        """
        trial = self.whole
        try:
            return checked_images(trial.images, self.size, self.capabilities.image_shape)
        except Failed:
            raise Idle("there are no images to look at") from None

    @property
    def size(self) -> int:
        return len(self.batch.sample_ids)

    def images_of(self, batch: Batch) -> Images:
        """Images of another batch.

        Raises:
            Broken: the model raised an error, or returned something else.
        """
        expected = self.images.shape[1:]
        trial = self.place.generate(batch)
        wanted = f"uint8 {[len(batch.sample_ids), *expected]}"
        if trial.error:
            raise Broken(Finding("wrong", trial.error, wanted))
        try:
            return checked_images(trial.images, len(batch.sample_ids), expected)
        except Failed:
            raise Broken(Finding("wrong", trial.returned, wanted, advice_on_shape(trial.images))) from None

    def rows(self, positions: list[int]) -> Batch:
        """Samples of the batch, in this order."""
        batch = self.batch
        return replace(
            batch,
            sample_ids=batch.sample_ids[positions],
            seeds=batch.seeds[positions],
            labels=None if batch.labels is None else batch.labels[positions],
            prompts=None if batch.prompts is None else [batch.prompts[position] for position in positions],
            images=None if batch.images is None else batch.images[positions],
        )

    def alike(self, images: Images, positions: list[int], advice: str) -> Finding:
        """Whether these are the images of the batch at these positions."""
        differences = np.abs(images.astype(np.int16) - self.images[positions])
        largest = int(differences.max())
        if largest <= self.most_levels:
            return Finding("ok", f"largest difference {largest} of 255 levels, at most {self.most_levels} expected")
        worst = int(differences.reshape(len(positions), -1).max(axis=1).argmax())
        share = float((differences[worst] > self.most_levels).mean())
        return Finding(
            "wrong",
            f"sample {self.batch.sample_ids[positions[worst]]} differs by up to {largest} of 255 levels, "
            f"by more than {self.most_levels} in {share:.1%} of its values",
            f"at most {self.most_levels} (tolerance {self.capabilities.tolerance:g}, then rounding)",
            advice,
        )


def advice_on_shape(images: NDArray[Any] | None) -> str:
    if images is None or images.ndim not in (3, 4):
        return ""
    if images.ndim == 3:
        return "keep the axes of samples and of channels, also where there is only one"
    return "channels come first: images.transpose(0, 3, 1, 2)" if images.shape[3] in (1, 3) else ""
