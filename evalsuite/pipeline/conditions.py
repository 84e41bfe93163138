"""What each sample is asked for: nothing, a class, a prompt or an image. It follows from the sample's id alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evalsuite import pairing, plugins
from evalsuite.datasets.contract import Dataset, GroundTruth
from evalsuite.errors import Skipped, UsageError
from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, Condition
from evalsuite.prompts.contract import PromptSet
from evalsuite.records import NoiseSpec, Scalar
from evalsuite.slices.contract import Columns
from evalsuite.suite.schema import PromptSpec, ReferenceSpec, Suite

Ids = NDArray[np.int64]

WHAT: dict[Condition, str] = {
    "none": "nothing",
    "class": "classes",
    "text": "prompts",
    "image": "images",
    "text_and_image": "prompts and images",
}
NO_TRUTH = "compares with what the inputs were made from, and these inputs do not say"


@dataclass(frozen=True)
class Conditions:
    """Sample i is asked for class i mod C, for prompt i mod P, or for what becomes of image i mod P.

    Attributes:
        class_names: of the C classes; empty for suites without.
        prompt_set: the P prompts; None for suites without.
        inputs: the P images to start from; None for suites without. Where there are prompts too, prompt i belongs to
            image i.
    """

    class_names: tuple[str, ...] = ()
    prompt_set: PromptSet | None = None
    inputs: Dataset | None = None

    @property
    def kind(self) -> Condition:
        if self.inputs is not None:
            return "image" if self.prompt_set is None else "text_and_image"
        if self.prompt_set is not None:
            return "text"
        return "class" if self.class_names else "none"

    @property
    def count(self) -> int:
        """Of different conditions: C, P, or 1."""
        if self.inputs is not None:
            return self.inputs.size()
        if self.prompt_set is not None:
            return len(self.prompt_set.texts())
        return max(len(self.class_names), 1)

    @property
    def sampled(self) -> bool:
        """Whether conditions are a sample of all that could be asked, as prompts and images are and classes are not."""
        return self.prompt_set is not None or self.inputs is not None

    def asked_of(self, capabilities: Capabilities) -> Conditions:
        """What of it a model is told: a model without conditions is told nothing, one of classes may be left alone.

        Raises:
            Skipped: the model understands something else.
        """
        wanted = capabilities.condition
        if wanted == self.kind:
            return self
        if wanted == "none" or (wanted == "class" and self.kind == "none"):
            return Conditions()
        if wanted == "text" and self.kind == "text_and_image":
            return Conditions(prompt_set=self.prompt_set)
        if wanted == "image" and self.kind == "text_and_image":
            return Conditions(inputs=self.inputs)
        raise Skipped(f"the model takes {WHAT[wanted]}, and this suite asks for {WHAT[self.kind]}")

    def labels(self, ids: Ids) -> NDArray[np.int64] | None:
        """The class of each sample, int64 ``[N]``; None without classes."""
        return pairing.labels_of(ids, len(self.class_names)) if self.class_names else None

    def classes(self, ids: Ids) -> NDArray[np.int64] | None:
        """The class that each sample ought to show, int64 ``[N]``: what it is asked for, or that of the image it starts
        from; None where that is not known."""
        of_inputs = None if self.inputs is None else self.inputs.labels()
        return self.labels(ids) if of_inputs is None else of_inputs[pairing.labels_of(ids, self.count)]

    def numbers(self, ids: Ids) -> NDArray[np.int64] | None:
        """Which class, prompt or image each sample is asked for, int64 ``[N]``; None where it is asked for nothing."""
        return None if self.kind == "none" else pairing.labels_of(ids, self.count)

    def texts(self, ids: Ids) -> tuple[str, ...] | None:
        """The prompt of each sample; None without prompts."""
        if self.prompt_set is None:
            return None
        texts = self.prompt_set.texts()
        return tuple(texts[number] for number in pairing.labels_of(ids, len(texts)))

    def images(self, ids: Ids) -> NDArray[np.uint8] | None:
        """What each sample starts from, uint8 ``[N, C, H, W]``; None without images."""
        return None if self.inputs is None else self.inputs.images(pairing.labels_of(ids, self.count))

    def names(self, ids: Ids) -> list[str]:
        """What each sample is asked for, for people: its prompt, or its class or that of the image it starts from."""
        texts, labels = self.texts(ids), self.classes(ids)
        if texts is not None or labels is None:
            return list(texts or [""] * len(ids))
        names = self.class_names if self.inputs is None else self.inputs.class_names()
        return [names[label] if names else str(label) for label in labels]

    def truth(self, ids: Ids) -> NDArray[np.uint8]:
        """What each sample ought to look like, uint8 ``[N, C, H, W]``: the images that the inputs were made from.

        Raises:
            Skipped: that is not known.
        """
        if not isinstance(self.inputs, GroundTruth):
            raise Skipped(NO_TRUTH)
        return self.inputs.truth(pairing.labels_of(ids, self.count))

    def batch(self, ids: Ids, seed: int, noise: NoiseSpec) -> Batch:
        """What a model gets for these samples of a suite of that seed."""
        return Batch(
            ids,
            pairing.seeds_of(ids - ids % noise.shared, seed),
            labels=self.labels(ids),
            prompts=self.texts(ids),
            images=self.images(ids),
            noise=noise,
            num_classes=len(self.class_names),
        )

    def groups(self, ids: Ids, shared: int = 1) -> NDArray[np.int64]:
        """Jackknife group of each sample, int64 ``[N]``: classes are dealt out by themselves, and samples that are not
        independent stay together: those of one prompt or image, and ``shared`` consecutive ones of one noise."""
        if self.sampled:
            return pairing.groups_of(pairing.labels_of(ids, self.count) // shared, 1)
        return pairing.groups_of(ids, math.lcm(self.count, shared))

    def clusters(self, ids: Ids, shared: int = 1) -> NDArray[np.int64] | None:
        """Equal for samples of one prompt, image or noise, int64 ``[N]``; None where all are independent.

        Raises:
            Skipped: not every prompt, image or noise has equally many samples, so that a mean over them is no mean over
                samples.
        """
        numbers = (pairing.labels_of(ids, self.count) if self.sampled else ids) // shared
        _, sizes = np.unique(numbers, return_counts=True)
        if len(np.unique(sizes)) > 1:
            raise Skipped(f"noise shared by {shared} samples is not shared by equally many of these {len(ids)}")
        return numbers if len(sizes) < len(numbers) else None

    def columns(self, ids: Ids) -> Columns:
        """Positions of the samples by attribute and value, for slices."""
        numbers = self.numbers(ids)
        if numbers is None:
            return {}
        return {
            column: {value: np.flatnonzero(np.isin(numbers, members)) for value, members in values.items()}
            for column, values in self._members().items()
        }

    def _members(self) -> Mapping[str, Mapping[str, NDArray[np.int64]]]:
        """Classes or prompts by attribute and value."""
        if self.prompt_set is not None:
            return pairing.columns_of(self.prompt_set.attributes())
        if self.inputs is not None:
            return columns_of_dataset(self.inputs)
        return pairing.columns_of({"class": tuple((name,) for name in self.class_names)})

    def key(self) -> str:
        """SHA-256 of all that a model is told because of them."""
        return content_key([len(self.class_names), self.protocol()])

    def protocol(self) -> dict[str, Scalar]:
        """What numbers must share to be compared."""
        return dict(self._fingerprints)

    @cached_property
    def _fingerprints(self) -> dict[str, str]:
        """Looked up once, since every cell of a run asks, and inputs may be a folder of many files."""
        parts = {"prompts_fingerprint": self.prompt_set, "inputs_fingerprint": self.inputs}
        return {name: part.fingerprint() for name, part in parts.items() if part is not None}


def columns_of_dataset(dataset: Dataset) -> dict[str, dict[str, NDArray[np.int64]]]:
    """Positions of a dataset's images by attribute and value; none where it has no classes."""
    labels, names = dataset.labels(), dataset.class_names()
    if labels is None:
        return {}
    return pairing.columns_of({"class": [[names[label] if names else str(label)] for label in labels]})


def conditions_of(suite: Suite) -> Conditions:
    """What the samples of a suite are asked for.

    Raises:
        CellError: the prompts, the images or the reference dataset, whose classes are asked for, cannot be read.
        UsageError: prompts or images do not share the samples equally, or do not belong to each other.
    """
    if suite.prompts is not None or suite.inputs is not None:
        found = Conditions(prompt_set=_prompts(suite.prompts), inputs=_inputs(suite.inputs))
        _require_pairs(found)
        _require_equal_shares(suite.sampling.num_samples, found)
        return found
    if suite.task == "class_conditional" and suite.reference is not None:
        spec = suite.reference
        return Conditions(plugins.find("datasets", spec.dataset).model_validate(spec.settings).class_names())
    return Conditions()


def _prompts(spec: PromptSpec | None) -> PromptSet | None:
    if spec is None:
        return None
    prompts: PromptSet = plugins.find("prompts", spec.set).model_validate(spec.settings)
    return prompts


def _inputs(spec: ReferenceSpec | None) -> Dataset | None:
    if spec is None:
        return None
    inputs: Dataset = plugins.find("datasets", spec.dataset).model_validate(spec.settings)
    return inputs


def _require_pairs(conditions: Conditions) -> None:
    """Every prompt belongs to the image at its place."""
    if conditions.kind == "text_and_image" and conditions.prompt_set is not None:
        prompts = len(conditions.prompt_set.texts())
        if prompts != conditions.count:
            raise UsageError(f"prompts: found {prompts} for {conditions.count} inputs, expected one for each")


def _require_equal_shares(num_samples: int, conditions: Conditions) -> None:
    """Means over prompts or images are means over samples only where each has equally many."""
    count, what = conditions.count, "prompts" if conditions.kind == "text" else "inputs"
    if num_samples > count and num_samples % count:
        raise UsageError(
            f"sampling.num_samples: found {num_samples} with {count} {what}, expected at most {count}, "
            f"or a multiple of it such as {count * round(num_samples / count)}"
        )
