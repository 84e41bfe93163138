"""What a user gives, a path or an array -> images, features, or moments of features."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import ArrayLike, NDArray

from evalsuite import moments
from evalsuite.direct.images import ArrayImages, FolderImages, Images, ZippedImages
from evalsuite.errors import UsageError
from evalsuite.records import FeatureSet, Moments

Given = Images | FeatureSet | Moments

ARRAY_NAMES = ("images", "features", "arr_0")
"""Which array of several is meant; ``arr_0`` is where numpy and guided-diffusion put the images."""

EXPECTED = "a folder of images, or a .zip, .npy, .npz or .safetensors file"
EXPECTED_ARRAY = "uint8 images [N, H, W, C], [N, C, H, W] or [N, H, W], or float features [N, D]"


def read(given: str | Path | ArrayLike, what: str) -> Given:
    """Find out what was given.

    Args:
        given: a folder, a file, or an array (anything that numpy makes an array of, such as a tensor on the CPU).
        what: how messages call an array: ``generated`` or ``reference``.

    Returns:
        Images are read later, one by one; features and moments are in memory (or memory-mapped).

    Raises:
        UsageError: it cannot be read, or is nothing that can be measured; says what was expected.
    """
    if isinstance(given, str | Path):
        path = Path(given).expanduser()
        return _from_path(path)
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:  # a ragged list, a tensor on another device
        raise UsageError(f"{what}: cannot be made an array: {error}; expected {EXPECTED_ARRAY}, or a path") from error
    return _from_array(array, what)


def _from_path(path: Path) -> Given:
    if path.is_dir():
        return FolderImages(path)
    if not path.exists():
        raise UsageError(f"{path}: does not exist; expected {EXPECTED}")
    match path.suffix.lower():
        case ".zip":
            return ZippedImages(path)
        case ".npy":
            return _from_array(_load(path), str(path))
        case ".npz":
            with _load_archive(path) as arrays:
                return _from_arrays(arrays, {}, path)
        case ".safetensors":
            return _from_arrays(*_load_safetensors(path), path)
    raise UsageError(f"{path}: found a file ending in {path.suffix!r}, expected {EXPECTED}")


def _load(path: Path) -> Any:
    """A memory-mapped array, or all arrays of an ``.npz`` file, which are read when they are asked for.

    Raises:
        UsageError: the file holds none, or pickled objects, which could run code.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # of a damaged file, whatever the decoder met
        raise UsageError(f"{path}: cannot be read as an array: {error}") from error


def _load_archive(path: Path) -> NpzFile:
    found = _load(path)
    if not isinstance(found, NpzFile):
        raise UsageError(f"{path}: found a single array, expected an archive of arrays; call it .npy")
    return found


def _load_safetensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="np") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return arrays, file.metadata() or {}
    except Exception as error:  # of a damaged file, whatever the decoder met
        raise UsageError(f"{path}: cannot be read as safetensors: {error}") from error


def _from_arrays(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], path: Path) -> Given:
    names = list(arrays)
    chosen = next((name for name in ARRAY_NAMES if name in names), names[0] if len(names) == 1 else None)
    try:
        if chosen is not None:
            return _from_array(arrays[chosen], f"{path}: {chosen}")
        if {"mean", "covariance"} <= set(names):
            return moments.from_safetensors(arrays, metadata, path)
        if {"mu", "sigma"} <= set(names):
            return moments.from_npz(arrays["mu"], arrays["sigma"], path)
    except UsageError:
        raise
    except Exception as error:  # of a damaged file, whatever the decoder met
        raise UsageError(f"{path}: cannot be read: {error}") from error
    raise UsageError(
        f"{path}: found the arrays {', '.join(sorted(names)) or '(none)'}; expected a single one, or one named "
        f"{', '.join(ARRAY_NAMES)}, or a statistics file with mu and sigma"
    )


def _from_array(array: NDArray[Any], what: str) -> Given:
    """Images or features, by the type of the numbers.

    Raises:
        UsageError: it is neither.
    """
    found = f"{what}: found {array.dtype} {list(array.shape)}"
    if array.ndim and len(array) == 0:
        raise UsageError(f"{found}, expected at least one sample")
    if array.dtype == np.uint8 and array.ndim in (3, 4):
        return ArrayImages(_channels_first(array, found))
    if np.issubdtype(array.dtype, np.floating) and array.ndim == 2 and array.shape[1]:
        return _features(array, what)
    hint = "; make float images uint8: (255 * images).round()" if array.ndim > 2 and array.dtype != np.uint8 else ""
    raise UsageError(f"{found}, expected {EXPECTED_ARRAY}{hint}")


def _channels_first(array: NDArray[np.uint8], found: str) -> NDArray[np.uint8]:
    """A view ``[N, C, H, W]``; the axis of length 1 or 3 is that of the channels."""
    if array.ndim == 3:
        return array[:, None]
    first, last = array.shape[1] in (1, 3), array.shape[3] in (1, 3)
    if 0 in array.shape or first == last:
        why = "either end could be the channels" if first else "neither end has 1 or 3 channels"
        raise UsageError(f"{found}, expected images [N, H, W, C] or [N, C, H, W] with C 1 or 3: {why}")
    return array if first else array.transpose(0, 3, 1, 2)


def _features(array: NDArray[Any], what: str) -> FeatureSet:
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise UsageError(f"{what}: found NaN or infinite features in {len(bad)} of {len(array)} rows, first {bad[0]}")
    digests = [hashlib.sha256(row.tobytes()).digest() for row in np.asarray(array, np.float64)]
    return FeatureSet(
        extractor="",
        fingerprint="",
        preprocessing="",
        sample_ids=np.arange(len(array), dtype=np.int64),
        # float64 stays: rounding it here would cost digits that metrics, which all compute in float64, keep.
        features=cast(NDArray[np.float32], array.astype(np.float32) if array.dtype == np.float16 else array),
        source=fingerprint(digests),
    )


def fingerprint(digests: list[bytes]) -> str:
    """SHA-256 of a set of samples, whatever their order."""
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()
