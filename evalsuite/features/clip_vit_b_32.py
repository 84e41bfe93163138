"""``clip-vit-b-32``: 512 features of any image, in the space of its captions; weights from a local folder."""

from __future__ import annotations

from typing import ClassVar

from evalsuite.features._clip import Clip


class ClipVitB32(Clip):
    """CLIP, ViT-B/32; see :class:`evalsuite.features._clip.Clip`."""

    folder: ClassVar[str] = "clip-vit-b-32"
    repository: ClassVar[str] = "openai/clip-vit-base-patch32"
    dim: ClassVar[int] = 512
    side: ClassVar[int] = 224
    preprocessing: ClassVar[str] = "bicubic (Pillow) of the shorter side to 224, centre crop, CLIP mean and deviation"
