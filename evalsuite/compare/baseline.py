"""A baseline: the numbers of a run with all that a later paired comparison needs, in two small files.

``<name>.json`` holds measurements and checksums, ``<name>.safetensors`` the arrays, each once, per-sample values in
float32 or less. Raw timings are not in it, only the value of each round.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from evalsuite.errors import RecordError, UsageError, nearest
from evalsuite.files import canonical_json, content_key, read_arrays, read_json, write_atomically
from evalsuite.records import FORMAT_VERSION, Identity, Measurement, Record, RunRecord, Scalar

BASELINES = Path("baselines")
"""Where baselines are, unless a command says otherwise, below the working directory."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Baseline(Record):
    """The measurements of an earlier run.

    Attributes:
        suite: name of the suite.
        pairing_key: equal where samples of the same id have the same seed and class; see :func:`pairing_key`.
        commit: what was measured; "" where the run did not note it.
        measurements: in the order of their identities, so that two files are easily told apart.
    """

    format_version: int = FORMAT_VERSION
    suite: str
    suite_hash: str
    pairing_key: str
    commit: str = ""
    environment: dict[str, Scalar]
    measurements: list[Measurement]

    @classmethod
    def of(cls, record: RunRecord) -> Baseline:
        """What a run would leave as a baseline."""
        return cls(
            suite=record.suite["suite"],
            suite_hash=record.suite_hash,
            pairing_key=pairing_key(record),
            commit=(record.provenance.get("code") or {}).get("commit", ""),
            environment=record.environment,
            measurements=sorted(record.measurements, key=lambda measurement: measurement.identity),
        )

    def find(self, identity: Identity) -> Measurement | None:
        """The measurement of this identity."""
        return next((m for m in self.measurements if m.identity == identity), None)


def pairing_key(record: RunRecord) -> str:
    """SHA-256 over what seed, class and group of a sample follow from, besides its id.

    A record that does not tell it pairs with itself alone.
    """
    suite = record.suite
    try:
        return content_key([suite["sampling"]["seed"], suite["task"], suite["reference"]])
    except (LookupError, TypeError):
        return content_key([record.suite_hash, record.content_hash])


def save(record: RunRecord, name: str, folder: Path) -> list[Path]:
    """Write ``<folder>/<suite>/<name>.json`` and ``.safetensors``.

    Returns:
        Both paths.

    Raises:
        UsageError: the name would not make a file name.
        StoreError: they cannot be written.
    """
    from safetensors.numpy import save as pack

    if not NAME.fullmatch(name):
        raise UsageError(f"found the baseline name {name!r}, expected letters, digits, '.', '_' and '-'")
    arrays: dict[str, NDArray[Any]] = {}
    measurements = []
    whole = Baseline.of(record)
    for measurement in whole.measurements:
        names = {}
        for field, array in measurement.arrays().items():
            if field == "influence":
                continue  # which samples cost the most is for the run's own report; no comparison needs it
            kept = _compact(field, array)
            key = hashlib.sha256(kept.dtype.str.encode() + kept.tobytes()).hexdigest()[:16]
            arrays[key] = kept
            names[field] = key
        measurements.append({**measurement.model_dump(mode="json"), "arrays": names})
    packed = pack(arrays)
    content = {
        **whole.model_dump(mode="json", exclude={"measurements"}),
        "measurements": measurements,
        "arrays_sha256": hashlib.sha256(packed).hexdigest(),
    }
    content["sha256"] = hashlib.sha256(canonical_json(content)).hexdigest()
    written = [folder / record.suite["suite"] / f"{name}{suffix}" for suffix in (".json", ".safetensors")]
    write_atomically(written[1], packed)
    write_atomically(written[0], json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")
    return written


def load(path: Path) -> Baseline:
    """Read a baseline's JSON file and the arrays beside it.

    Raises:
        RecordError: it is missing, damaged, changed after it was written, or of an unknown format version.
    """
    content = read_json(path)
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        newer = isinstance(version, int) and version > FORMAT_VERSION
        advice = "use a newer evalsuite" if newer else "save the baseline again: evalsuite baseline save RUN"
        raise RecordError(f"{path}: format version {version!r}, this evalsuite reads {FORMAT_VERSION}; {advice}")
    checksum = content.pop("sha256", None)
    if hashlib.sha256(canonical_json(content)).hexdigest() != checksum:
        raise RecordError(
            f"{path}: its checksum does not fit; it was changed after it was written. Take it from version control "
            "again, or save it anew: evalsuite baseline save RUN"
        )
    arrays = read_arrays(path.with_suffix(".safetensors"), content.pop("arrays_sha256", None))
    try:
        for measurement in content["measurements"]:
            names = measurement.pop("arrays")
            measurement.update({field: _restored(field, arrays[key]) for field, key in names.items()})
        return Baseline.model_validate(content)
    except (ValidationError, LookupError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: not a baseline: {error}") from error


def paths(folder: Path = BASELINES) -> list[Path]:
    """The JSON files of all baselines, by suite and name."""
    return sorted(folder.glob("*/*.json"))


def path_of(name: str, folder: Path = BASELINES) -> Path:
    """The JSON file of a baseline, named ``main`` or ``quickstart/main``.

    Raises:
        UsageError: there is none of that name, or one for several suites.
    """
    known = {f"{path.parent.name}/{path.stem}": path for path in paths(folder)}
    fitting = [full for full in known if name in (full, full.partition("/")[2])]
    if not fitting:
        names = {full if "/" in name else full.partition("/")[2] for full in known}
        where = f"in {folder}/" if known else f"in {folder}/: make one with evalsuite baseline save RUN"
        raise UsageError(f"found no baseline {name!r} {where}; {nearest(name, names)}")
    if len(fitting) > 1:
        raise UsageError(f"found {len(fitting)} baselines {name!r}, expected one of {', '.join(fitting)}")
    return known[fitting[0]]


def load_all(suite: str, folder: Path) -> dict[str, Baseline]:
    """Every baseline of a suite, by name.

    Raises:
        RecordError: one of them cannot be read.
    """
    return {path.stem: load(path) for path in sorted((folder / suite).glob("*.json"))}


def _compact(field: str, array: NDArray[Any]) -> NDArray[Any]:
    """The smallest form that keeps ids and 0/1 values exactly, and other per-sample values to seven digits."""
    if field in ("sample_ids", "group_sizes") and (not array.size or abs(array).max() < 2**31):
        array = array.astype(np.int32)
    elif field == "per_sample":
        binary = bool(np.isin(array, (0, 1)).all())
        array = array.astype(np.uint8 if binary else np.float32)
    return np.ascontiguousarray(array)


def _restored(field: str, array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.int64 if field in ("sample_ids", "group_sizes") else np.float64)
