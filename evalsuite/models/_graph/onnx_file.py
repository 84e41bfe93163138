"""What an ONNX file says of itself, read without its weights: opset, producer, weights' type, and files beside it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from evalsuite.errors import Failed, Unavailable
from evalsuite.models._graph.declaration import sha256_of, state_of


@dataclass(frozen=True)
class OnnxFile:
    """Attributes:
    opset: version of the standard operators; 0 if the file uses none.
    producer: what wrote it, such as ``pytorch 2.15.0``.
    weights_dtype: of most weights in floating point, such as ``float32``; None if there are none.
    num_parameters: numbers in its initialisers of floating point.
    data_files: other files that hold weights, in the same folder or below it.
    """

    path: Path
    opset: int
    producer: str
    weights_dtype: str | None
    num_parameters: int
    data_files: tuple[Path, ...]

    @classmethod
    def read(cls, path: Path) -> OnnxFile:
        """The description of a file.

        Raises:
            Unavailable: the file, or one that holds its weights, is not there; or the package that reads it.
            Failed: it is no ONNX file, was cut short, or names files elsewhere.
        """
        described = _described(path, *state_of(path))
        for file in described.data_files:
            if not file.is_file():
                raise Unavailable(
                    f"{path}: its weights lie in {file}, and there is no such file; copy it there, or export with all "
                    "weights in one file"
                )
        return described

    def hashes(self) -> list[str]:
        """SHA-256 of the file and of those beside it."""
        return [sha256_of(file) for file in (self.path, *self.data_files)]

    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in (self.path, *self.data_files))


def missing(package: str) -> Unavailable:
    """A package of the extra is not installed."""
    return Unavailable(f"needs the package {package}; install it with: pip install 'evalsuite[onnx]'")


@cache
def _described(path: Path, modified_ns: int, size: int) -> OnnxFile:
    """Read once a process for each state of the file, since a plan asks often."""
    try:
        import onnx
    except ImportError as error:
        raise missing("onnx") from error
    expected = "expected an ONNX model; is the file cut short, or of another kind?"
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf has a type of its own for what it cannot decode
        raise Failed(f"{path}: {error}; {expected}") from error
    if not model.graph.node:
        raise Failed(f"{path}: found no operators in it; {expected}")
    tensors = list(_tensors(model))
    return OnnxFile(
        path=path,
        opset=max((opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")), default=0),
        producer=f"{model.producer_name} {model.producer_version}".strip() or "unknown",
        weights_dtype=_weights_dtype(tensors),
        num_parameters=sum(_sizes(model.graph.initializer).values()),
        data_files=tuple(sorted({_beside(path, place) for tensor in tensors for place in _places(tensor)})),
    )


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor of a model, wherever it is nested: in constants, branches of control flow, and functions."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if hasattr(value, "__len__") else [value]:
                yield from _tensors(inner)


def _places(tensor: Any) -> Iterator[str]:
    """Where a tensor's data lie, if in another file."""
    if tensor.data_location == tensor.EXTERNAL:
        yield from (entry.value for entry in tensor.external_data if entry.key == "location")


def _beside(path: Path, place: str) -> Path:
    """A file in the model's folder or below it; a model has no business elsewhere."""
    parts = PurePosixPath(place.replace("\\", "/"))
    if not place or parts.is_absolute() or ".." in parts.parts or ":" in place:
        raise Failed(f"{path}: found weights in {place!r}, expected a file in the model's folder, or below it")
    return path.parent / parts


def _weights_dtype(tensors: list[Any]) -> str | None:
    sizes = _sizes(tensors)
    return sizes.most_common(1)[0][0] if sizes else None


def _sizes(tensors: Iterable[Any]) -> Counter[str]:
    """How many numbers there are of each type in floating point."""
    import onnx

    kinds = {
        onnx.TensorProto.FLOAT: "float32",
        onnx.TensorProto.FLOAT16: "float16",
        onnx.TensorProto.BFLOAT16: "bfloat16",
        onnx.TensorProto.DOUBLE: "float64",
    }
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        if tensor.data_type in kinds:
            sizes[kinds[tensor.data_type]] += math.prod(tensor.dims)
    return sizes
