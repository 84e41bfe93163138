"""The suite that a run followed, from its record, which may have been changed or come from another version."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from evalsuite.errors import RecordError
from evalsuite.records import RunRecord
from evalsuite.suite.document import Node, Place
from evalsuite.suite.schema import Suite
from evalsuite.suite.validate import validate


def recorded_suite(record: RunRecord, file: str | Path = "record.json") -> Suite:
    """The resolved suite of a run.

    Args:
        record: the run.
        file: what to call the record where its suite is refused.

    Raises:
        RecordError: this evalsuite knows no such suite; one line a problem.
    """
    try:
        return Suite.model_validate(record.suite)
    except ValidationError as error:
        _, problems = validate(Suite, Node.of(record.suite, Place(str(file), 0, 0), "suite"))
        version = record.environment.get("evalsuite") or "unknown"
        raise RecordError(
            "\n".join(map(str, problems))
            + f"\nThe suite was changed after the run, or is of another version of evalsuite ({version} made the run); "
            "run the suite again, or take that version"
        ) from error
