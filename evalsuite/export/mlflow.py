"""Export to MLflow: an experiment a suite, a run a model and target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.export.values import Export, key_of

LONGEST_SETTING = 500
BATCH = 100
"""Numbers and settings in one request; servers take no more settings than that."""


def send(exports: Sequence[Export], record: Path, place: str | None) -> list[str]:
    """Write the runs to a tracking server or store, with ``record.json`` among their artifacts.

    Args:
        record: the run's ``record.json``.
        place: the tracking URI; None for MLflow's own setting (``MLFLOW_TRACKING_URI``).

    Returns:
        What was made: ``experiment EXPERIMENT, run RUN``.

    Raises:
        UsageError: MLflow is not installed, or the store refuses.
    """
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise UsageError("MLflow is not installed; pip install 'evalsuite[mlflow]' does it") from error
    try:
        client = MlflowClient(tracking_uri=place)
        return [_send(client, export, record) for export in exports]
    except MlflowException as error:
        raise UsageError(
            f"MLflow at {place or 'its default store'} refused: {error}; choose a store with --place"
        ) from error


def _send(client: Any, export: Export, record: Path) -> str:
    from mlflow.entities import Metric, Param

    name = key_of(export.project)
    known = client.get_experiment_by_name(name)
    experiment = known.experiment_id if known else client.create_experiment(name)
    ended = int(export.ended.timestamp() * 1000)
    run = client.create_run(experiment, start_time=ended, run_name=key_of(export.name), tags={"source": "evalsuite"})
    settings = [Param(key, value[:LONGEST_SETTING]) for key, value in export.settings.items()]
    numbers = [Metric(key, value, ended, 0) for key, value in export.numbers.items()]
    for start in range(0, max(len(settings), len(numbers)), BATCH):
        part = slice(start, start + BATCH)
        client.log_batch(run.info.run_id, metrics=numbers[part], params=settings[part])
    client.log_artifact(run.info.run_id, str(record))
    client.set_terminated(run.info.run_id, end_time=ended)
    return f"experiment {name}, run {key_of(export.name)}"
