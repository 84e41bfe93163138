"""``dinov2-base``: 768 features of any image; weights from a local folder."""

from __future__ import annotations

from typing import ClassVar

from evalsuite.features._dinov2 import Dinov2


class Dinov2Base(Dinov2):
    """DINOv2, ViT-B/14; see :class:`evalsuite.features._dinov2.Dinov2`."""

    folder: ClassVar[str] = "dinov2-base"
    repository: ClassVar[str] = "facebook/dinov2-base"
    dim: ClassVar[int] = 768
