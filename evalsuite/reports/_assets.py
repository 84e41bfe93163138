"""Where the pictures of a page go: beside it as files, or into it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Literal

TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}


@dataclass
class Assets:
    """Pictures that a page shows, by the address it shows them under.

    Attributes:
        place: ``beside`` the page as files, or ``inside`` it as data URIs.
        files: contents by relative file name, of a page with its pictures beside it.
    """

    place: Literal["beside", "inside"]
    files: dict[str, bytes] = field(default_factory=dict)

    def address(self, name: str, content: bytes) -> str:
        """The ``src`` of a picture; ``name`` is its path below the page's folder."""
        if self.place == "inside":
            kind = TYPES[name[name.rindex(".") :]]
            return f"data:{kind};base64,{base64.b64encode(content).decode()}"
        self.files[name] = content
        return name
