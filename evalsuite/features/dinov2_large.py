"""``dinov2-large``: 1024 features of any image; weights from a local folder."""

from __future__ import annotations

from typing import ClassVar

from evalsuite.features._dinov2 import Dinov2


class Dinov2Large(Dinov2):
    """DINOv2, ViT-L/14; see :class:`evalsuite.features._dinov2.Dinov2`."""

    folder: ClassVar[str] = "dinov2-large"
    repository: ClassVar[str] = "facebook/dinov2-large"
    dim: ClassVar[int] = 1024
