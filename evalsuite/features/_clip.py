"""CLIP as a feature extractor, for images and for the texts that they should show: what its sizes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.features._pretrained import FILES, Pretrained, library
from evalsuite.features.contract import EmbeddedTexts, Extracted, LoadedExtractor


class Clip(Pretrained):
    """Image embeddings of CLIP (Radford et al. 2021, arXiv:2103.00020) as projected, not scaled to length 1.

    Attributes:
        long_prompts: what becomes of texts of more than 77 tokens, begin and end included: ``cut`` reads their
            beginning, as CLIP score is published; ``parts`` takes the mean of the embeddings of their parts, each
            scaled to length 1, so that every word counts.
    """

    long_prompts: Literal["cut", "parts"] = "cut"

    crop: ClassVar[bool] = True
    mean: ClassVar[tuple[float, float, float]] = (0.48145466, 0.4578275, 0.40821073)
    deviation: ClassVar[tuple[float, float, float]] = (0.26862954, 0.26130258, 0.27577711)
    files: ClassVar[tuple[str, ...]] = (*FILES, "tokenizer.json")

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        with self.loaded("CLIPVisionModelWithProjection") as model:
            yield _Loaded(self, model)

    def embed_texts(self, texts: Sequence[str]) -> EmbeddedTexts:
        """Text embeddings float32 ``[N, dim]`` in the space of the images.

        Raises:
            Unavailable: the library or the weights are missing.
        """
        import torch

        tokenizer = library().PreTrainedTokenizerFast(
            tokenizer_file=str(self.path() / "tokenizer.json"), pad_token="<|endoftext|>"
        )
        with self.loaded("CLIPTextModelWithProjection") as model, torch.inference_mode():
            longest = model.config.max_position_embeddings
            whole = self.long_prompts == "parts"
            tokens = tokenizer(
                list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt",
                return_overflowing_tokens=True,
            )  # fmt: skip
            rows = tokens.pop("overflow_to_sample_mapping").numpy()
            parts = model(**tokens).text_embeds.numpy()
        return EmbeddedTexts(*_of_texts(parts, rows, len(texts), whole))


def _of_texts(
    parts: NDArray[np.float32], rows: NDArray[np.int64], count: int, whole: bool
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """One embedding a text, from those of its parts, and whether parts were left out.

    Args:
        parts: ``[P, dim]``, the parts of a text one after the other.
        rows: ``[P]`` in [0, count), the text that each part belongs to.
        whole: whether all parts count, or the first alone.
    """
    first = np.searchsorted(rows, np.arange(count))
    several = np.bincount(rows, minlength=count) > 1
    if not whole:
        return parts[first], several
    features = parts[first].copy()
    for text in np.flatnonzero(several):
        of_text = parts[rows == text]
        features[text] = (of_text / np.linalg.norm(of_text, axis=1, keepdims=True)).mean(axis=0)
    return features, np.zeros(count, np.bool_)


class _Loaded:
    def __init__(self, extractor: Clip, model: Any) -> None:
        self.extractor, self.model = extractor, model

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Embeddings float32 ``[B, dim]`` of uint8 images ``[B, C, H, W]``."""
        import torch

        with torch.inference_mode():
            embedded = self.model(torch.from_numpy(self.extractor.prepare(images))).image_embeds
        return Extracted(embedded.numpy(), None)
