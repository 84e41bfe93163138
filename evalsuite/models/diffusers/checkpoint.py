"""A pipeline's folder as ``save_pretrained`` writes it, read without torch: its parts, and what is refused."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import yaml

from evalsuite.errors import Failed

INDEX = "model_index.json"
README = "README.md"
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_CONFIGURATION = (".json", ".txt", ".model", ".jinja")
_WEIGHTS = re.compile(r"[^.]+?(?:\.(?P<variant>[^.]+?))?(?:-[0-9]+-of-[0-9]+)?\.safetensors")
_LARGEST_HEADER = 100_000_000
_LONGEST_FRONT_MATTER = 100_000


@dataclass(frozen=True)
class Checkpoint:
    """The folder of a pipeline.

    Attributes:
        folder: its place.
        index: what ``model_index.json`` says.
    """

    folder: Path
    index: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Checkpoint:
        """The checkpoint in a folder.

        Raises:
            Failed: it is none, or it needs code of its own.
        """
        if not folder.is_dir():
            raise Failed(
                f"{folder}: found {'a file' if folder.exists() else 'nothing'}, expected a folder with {INDEX}; "
                "a single-file checkpoint becomes one with from_single_file(FILE).save_pretrained(FOLDER)"
            )
        checkpoint = cls(folder, _json(folder / INDEX))
        checkpoint._refuse_code()
        return checkpoint

    @property
    def class_name(self) -> str:
        return str(self.index["_class_name"])

    def components(self, without: Collection[str] = ()) -> list[str]:
        """Names of the parts that the folder has, such as ``unet``."""
        return [
            name
            for name, value in self.index.items()
            if name.isidentifier() and isinstance(value, list) and value[:1] != [None] and name not in without
        ]

    def config(self, component: str) -> dict[str, Any]:
        """Configuration of a part; empty if it has none."""
        for name in ("config.json", "scheduler_config.json"):
            path = self.folder / component / name
            if path.is_file():
                return _json(path)
        return {}

    def files(self, variant: str | None, without: Collection[str]) -> list[Path]:
        """What is read of it, in a fixed order.

        Raises:
            Failed: the weights of a part are pickles.
        """
        files = [self.folder / INDEX]
        for name in sorted(self.components(without)):
            refuse_pickles(self.folder / name)
            files += files_in(self.folder / name, variant)
        return files

    def licence(self) -> str:
        """As the front matter of the README states it; ``unknown`` without."""
        try:
            with (self.folder / README).open(encoding="utf-8") as file:
                text = file.read(_LONGEST_FRONT_MATTER)
            front = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else None
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            return "unknown"
        stated = front.get("license") if isinstance(front, dict) else None
        return stated if isinstance(stated, str) else "unknown"

    def _refuse_code(self) -> None:
        parts = [self.folder, *(self.folder / name for name in self.components())]
        code = next((path for part in parts if part.is_dir() for path in sorted(part.glob("*.py"))), None)
        named = self.index.get("_class_name")
        if named is None:
            raise Failed(f"{self.folder / INDEX}: found no _class_name, expected the class of a pipeline")
        if code is not None or not isinstance(named, str):
            found = code.relative_to(self.folder) if code is not None else f"_class_name {json.dumps(named)} in {INDEX}"
            raise Failed(
                f"{self.folder}: found {found}: a pipeline with code of its own, expected one of the library; read "
                "that code, then load it in a class of yours by the adapter python, which needs --allow-code"
            )


def pipeline_files(names: Iterable[str], variant: str | None) -> list[str]:
    """Of a repository's files those that a pipeline reads: its index, and what :func:`component_files` says of folders.

    Args:
        names: relative to the root, with ``/``.
        variant: of the weights, such as ``fp16``.
    """
    parts: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        parts.setdefault(folder, []).append(file)
    root = parts.pop("", [])
    chosen = [name for name in (INDEX, README) if name in root]
    for folder, files in parts.items():
        chosen += [f"{folder}/{file}" for file in component_files(files, variant) if "/" not in folder]
    return chosen


def component_files(names: Iterable[str], variant: str | None) -> list[str]:
    """Of a folder's files the configuration, the tokenizer, and the safetensors of the variant, else of none."""
    found = sorted(names)
    variants = {name: match["variant"] for name in found if (match := _WEIGHTS.fullmatch(name))}
    wanted = variant if variant in variants.values() else None
    return [name for name in found if name.endswith(_CONFIGURATION) or (name in variants and variants[name] == wanted)]


def files_in(folder: Path, variant: str | None) -> list[Path]:
    """Paths of :func:`component_files`."""
    names = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    return [folder / name for name in component_files(names, variant)]


def refuse_pickles(folder: Path) -> None:
    """Raises Failed for a folder whose weights are pickles only, since loading those can run any code."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    pickles = [name for name in names if name.endswith(PICKLES)]
    if pickles and not any(name.endswith(".safetensors") for name in names):
        raise Failed(
            f"{folder / pickles[0]}: found a pickle, which can run any code when it is loaded; expected .safetensors, "
            "as save_pretrained(FOLDER, safe_serialization=True) writes them"
        )


def num_parameters(files: Iterable[Path]) -> int:
    """Numbers in safetensors files, by their headers.

    Raises:
        Failed: a header cannot be read.
    """
    return sum(prod(tensor["shape"]) for path in files for tensor in _tensors(path))


def _tensors(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, _LARGEST_HEADER)))
        return [tensor for name, tensor in header.items() if name != "__metadata__"]
    except (OSError, ValueError, AttributeError, struct.error) as error:
        raise Failed(f"{path}: found no safetensors: {error}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Failed(f"{path}: cannot be read: {error}; expected a folder as save_pretrained writes it") from error
    if not isinstance(content, dict):
        raise Failed(f"{path}: found {type(content).__name__}, expected an object")
    return content
