"""``clip-vit-l-14``: 768 features of any image, in the space of its captions; weights from a local folder."""

from __future__ import annotations

from typing import ClassVar

from evalsuite.features._clip import Clip


class ClipVitL14(Clip):
    """CLIP, ViT-L/14; see :class:`evalsuite.features._clip.Clip`."""

    folder: ClassVar[str] = "clip-vit-l-14"
    repository: ClassVar[str] = "openai/clip-vit-large-patch14"
    dim: ClassVar[int] = 768
    side: ClassVar[int] = 224
    preprocessing: ClassVar[str] = "bicubic (Pillow) of the shorter side to 224, centre crop, CLIP mean and deviation"
