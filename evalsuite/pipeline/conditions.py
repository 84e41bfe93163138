"""What each sample is asked for: nothing, a class, or a prompt. It follows from the sample's id alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite import pairing, plugins
from evalsuite.errors import Skipped, UsageError
from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, Condition
from evalsuite.prompts.contract import PromptSet
from evalsuite.records import NoiseSpec
from evalsuite.slices.contract import Columns
from evalsuite.suite.schema import Suite

Ids = NDArray[np.int64]

WHAT = {"none": "nothing", "class": "classes", "text": "prompts"}


@dataclass(frozen=True)
class Conditions:
    """Sample i is asked for class i mod C, or for prompt i mod P.

    Attributes:
        class_names: of the C classes; empty for suites without.
        prompt_set: the P prompts; None for suites without.
    """

    class_names: tuple[str, ...] = ()
    prompt_set: PromptSet | None = None

    @property
    def kind(self) -> Condition:
        if self.prompt_set is not None:
            return "text"
        return "class" if self.class_names else "none"

    @property
    def count(self) -> int:
        """Of different conditions: C, P, or 1."""
        if self.prompt_set is not None:
            return len(self.prompt_set.texts())
        return max(len(self.class_names), 1)

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
        raise Skipped(f"the model takes {WHAT[wanted]}, and this suite asks for {WHAT[self.kind]}")

    def labels(self, ids: Ids) -> NDArray[np.int64] | None:
        """The class of each sample, int64 ``[N]``; None without classes."""
        return pairing.labels_of(ids, len(self.class_names)) if self.class_names else None

    def numbers(self, ids: Ids) -> NDArray[np.int64] | None:
        """Which class or prompt each sample is asked for, int64 ``[N]``; None where it is asked for nothing."""
        return None if self.kind == "none" else pairing.labels_of(ids, self.count)

    def texts(self, ids: Ids) -> tuple[str, ...] | None:
        """The prompt of each sample; None without prompts."""
        if self.prompt_set is None:
            return None
        texts = self.prompt_set.texts()
        return tuple(texts[number] for number in pairing.labels_of(ids, len(texts)))

    def names(self, ids: Ids) -> list[str]:
        """What each sample is asked for, for people."""
        labels = self.labels(ids)
        if labels is not None:
            return [self.class_names[label] for label in labels]
        return list(self.texts(ids) or [""] * len(ids))

    def batch(self, ids: Ids, seed: int, noise: NoiseSpec) -> Batch:
        """What a model gets for these samples of a suite of that seed."""
        return Batch(ids, pairing.seeds_of(ids, seed), self.labels(ids), self.texts(ids), noise=noise)

    def groups(self, ids: Ids) -> NDArray[np.int64]:
        """Jackknife group of each sample, int64 ``[N]``: classes are dealt out by themselves, and the samples of one
        prompt stay together, since prompts are a sample of all that could be asked."""
        if self.prompt_set is not None:
            return pairing.groups_of(pairing.labels_of(ids, self.count), 1)
        return pairing.groups_of(ids, self.count)

    def clusters(self, ids: Ids) -> NDArray[np.int64] | None:
        """The prompt of each sample where some share one, int64 ``[N]``; None where samples are independent."""
        numbers = self.numbers(ids) if self.prompt_set is not None else None
        return numbers if numbers is not None and len(np.unique(numbers)) < len(numbers) else None

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
        return pairing.columns_of({"class": tuple((name,) for name in self.class_names)})

    def key(self) -> str:
        """SHA-256 of all that a model is told because of them."""
        prompts = None if self.prompt_set is None else self.prompt_set.fingerprint()
        return content_key([len(self.class_names), prompts])


def conditions_of(suite: Suite) -> Conditions:
    """What the samples of a suite are asked for.

    Raises:
        CellError: the prompts or the reference dataset, whose classes are asked for, cannot be read.
        UsageError: prompts do not share the samples equally.
    """
    if suite.prompts is not None:
        found = Conditions(prompt_set=plugins.find("prompts", suite.prompts.set).model_validate(suite.prompts.settings))
        _require_equal_shares(suite.sampling.num_samples, found.count)
        return found
    if suite.task == "class_conditional" and suite.reference is not None:
        spec = suite.reference
        return Conditions(plugins.find("datasets", spec.dataset).model_validate(spec.settings).class_names())
    return Conditions()


def _require_equal_shares(num_samples: int, num_prompts: int) -> None:
    """Means over prompts are means over samples only where prompts have equally many."""
    if num_samples > num_prompts and num_samples % num_prompts:
        raise UsageError(
            f"sampling.num_samples: found {num_samples} with {num_prompts} prompts, expected at most {num_prompts}, "
            f"or a multiple of it such as {num_prompts * round(num_samples / num_prompts)}"
        )
