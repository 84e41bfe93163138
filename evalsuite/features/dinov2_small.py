"""``dinov2-small``: 384 features of any image; weights from a local folder."""

from __future__ import annotations

from typing import ClassVar

from evalsuite.features._dinov2 import Dinov2


class Dinov2Small(Dinov2):
    """DINOv2, ViT-S/14; see :class:`evalsuite.features._dinov2.Dinov2`."""

    folder: ClassVar[str] = "dinov2-small"
    repository: ClassVar[str] = "facebook/dinov2-small"
    dim: ClassVar[int] = 384
