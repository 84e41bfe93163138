"""CLIP as a feature extractor, for images and for the texts that they should show: what its sizes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.features._pretrained import FILES, Pretrained, library
from evalsuite.features.contract import Extracted, LoadedExtractor


class Clip(Pretrained):
    """Image embeddings of CLIP (Radford et al. 2021, arXiv:2103.00020) as projected, not scaled to length 1."""

    crop: ClassVar[bool] = True
    mean: ClassVar[tuple[float, float, float]] = (0.48145466, 0.4578275, 0.40821073)
    deviation: ClassVar[tuple[float, float, float]] = (0.26862954, 0.26130258, 0.27577711)
    files: ClassVar[tuple[str, ...]] = (*FILES, "tokenizer.json")

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        with self.loaded("CLIPVisionModelWithProjection") as model:
            yield _Loaded(self, model)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Text embeddings float32 ``[N, dim]`` in the space of the images; texts are cut after 77 tokens.

        Raises:
            Unavailable: the library or the weights are missing.
        """
        import torch

        tokenizer = library().PreTrainedTokenizerFast(
            tokenizer_file=str(self.path() / "tokenizer.json"), pad_token="<|endoftext|>"
        )
        with self.loaded("CLIPTextModelWithProjection") as model, torch.inference_mode():
            longest = model.config.max_position_embeddings
            tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
            embedded: NDArray[np.float32] = model(**tokens).text_embeds.numpy()
        return embedded


class _Loaded:
    def __init__(self, extractor: Clip, model: Any) -> None:
        self.extractor, self.model = extractor, model

    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Embeddings float32 ``[B, dim]`` of uint8 images ``[B, C, H, W]``."""
        import torch

        with torch.inference_mode():
            embedded = self.model(torch.from_numpy(self.extractor.prepare(images))).image_embeds
        return Extracted(embedded.numpy(), None)
