"""``clip-vit-l-14-336``: 768 features of any image, in the space of its captions; weights from a local folder."""

from __future__ import annotations

from typing import ClassVar

from evalsuite.features._clip import Clip


class ClipVitL14336(Clip):
    """CLIP, ViT-L/14 at 336 px; see :class:`evalsuite.features._clip.Clip`."""

    folder: ClassVar[str] = "clip-vit-l-14-336"
    repository: ClassVar[str] = "openai/clip-vit-large-patch14-336"
    dim: ClassVar[int] = 768
    side: ClassVar[int] = 336
    preprocessing: ClassVar[str] = "bicubic (Pillow) of the shorter side to 336, centre crop, CLIP mean and deviation"
