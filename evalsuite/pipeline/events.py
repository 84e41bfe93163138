"""What a run tells while it works: the terminal draws it, ``events.jsonl`` keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["download", "plan", "search", "generate", "extract", "derive", "measure", "profile", "extend", "report"]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: ``stage`` (a stage begins), ``progress`` (``done`` of ``total`` units of ``key``), ``cached`` (``key`` was
            found in the cache), ``missing`` (a cell ended without a number; ``message`` says why), ``warning``.
        stage: the stage it belongs to.
        key: case, model or worker it is about; "" for the whole stage.
        done, total: units finished and to do; for a stage the number of its cells.
        message: for people.
    """

    kind: Literal["stage", "progress", "cached", "missing", "warning"]
    stage: Stage
    key: str = ""
    done: int = 0
    total: int = 0
    message: str = ""


Listener = Callable[[Event], None]
