"""CLIP score: does an image show what was asked for?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics._features import FeatureMetric, finite, require
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.metrics.feature_distance import cosine_distance
from evalsuite.records import Family, TextFeatures


class ClipScore(FeatureMetric):
    """Mean over samples of 100 max(cos(image, prompt), 0) of CLIP's embeddings; 0 to 100, good images near 30.

    CLIP reads the first 77 tokens of a prompt. By default what comes behind them counts for nothing, and the value
    warns of how many samples that concerns; ``extractor: "clip-vit-b-32:long_prompts=parts"`` reads prompts in parts.

    Insensitive to mode collapse and forgiving about quality; values of different CLIP networks do not compare.

    Attributes:
        extractor: one that embeds texts, too.
    """

    uses_reference: ClassVar[bool] = False
    reads_texts: ClassVar[bool] = True
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Hessel et al. 2021, CLIPScore (arXiv:2104.08718)"

    extractor: str = "clip-vit-b-32"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each image's with its own prompt. The paper's weight 2.5 is left out, as usual.

        Raises:
            Skipped: samples have no prompts, or there are none.
            Failed: an embedding is NaN or infinite, or image and text embeddings differ in shape.
        """
        if inputs.texts is None:
            raise Skipped("needs the prompt of each sample, and there are none; for classes, see class_accuracy")
        images, texts = finite(inputs.generated, "generated"), inputs.texts.features.astype(np.float64)
        require(len(images), 1, "generated samples")
        if images.shape != texts.shape:
            raise Failed(f"each image needs the embedding of one prompt, found {images.shape} and {texts.shape}")
        if not np.isfinite(texts).all():
            raise Failed(f"{inputs.generated.extractor} gives NaN or infinite embeddings of prompts")
        scores = 100 * np.maximum(1 - cosine_distance(images, texts), 0)
        return {
            "": Estimate(
                value=float(scores.mean()),
                family=Family.MEAN,
                n=len(scores),
                per_sample=scores,
                protocol={"estimator": "mean over samples", "weight": 100},
                warning=_cut_off(inputs.texts),
            )
        }


def _cut_off(texts: TextFeatures) -> str:
    count = int(texts.cut.sum())
    return f"only the beginning of the prompt was read for {count} of {len(texts.cut)} samples" if count else ""
