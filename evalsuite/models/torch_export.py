"""Adapter ``torch_export``: a PyTorch program in a ``.pt2`` file. Loading one can run code: only with --allow-code."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from evalsuite.errors import Failed
from evalsuite.files import content_key
from evalsuite.models._graph.declaration import GraphSettings, sha256_of, state_of
from evalsuite.models._graph.inputs import Input
from evalsuite.models._graph.model import GraphModel, place, summary
from evalsuite.models.contract import LoadedModel
from evalsuite.targets.contract import Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.export import ExportedProgram

VERSION = 1

PROGRAMS = ("models/model.json", "serialized_exported_program.json")
"""Where ``torch.export.save`` puts the program: in files of today, and in those of PyTorch 2.7 and before."""


class TorchExport(GraphSettings):
    """A program saved by ``torch.export.save``; see :class:`evalsuite.models._graph.declaration.GraphSettings`.

    ``torch.export.load`` (PyTorch 2.15) can run what a file tells it to: example inputs, and weights and constants that
    are no plain tensors, are unpickled without restriction; sizes are evaluated as Python expressions, guards are
    compiled to Python, and an operator may be any callable of the ``torch`` package. Most of it cannot be turned off,
    so the adapter asks for ``--allow-code``. What it says before that, and the fingerprint, comes from
    reading the file alone.
    """

    runs_user_code: ClassVar[bool] = True

    def fingerprint(self) -> str:
        """SHA-256 over the file and the settings. PyTorch's version is part of every key.

        Raises:
            Unavailable: there is no such file.
            Failed: it holds no exported program.
        """
        self._require_program()
        return content_key(["torch_export", VERSION, sha256_of(self.path), self.pixel_settings()])

    def provenance(self) -> dict[str, str | int | float | None]:
        return {
            "source": self.path.name,
            "sha256": sha256_of(self.path),
            "licence": self.licence,
            "size_bytes": self.path.stat().st_size,
            **self._require_program(),
        }

    def import_libraries(self) -> None:
        """Most of PyTorch's compiler: loading a program of nothing needs all that loading any does."""
        import torch

        file = io.BytesIO()
        torch.export.save(torch.export.export(torch.nn.Identity(), (torch.zeros(1),)), file)
        torch.export.load(file)

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        self._require_program()
        program = _loaded(self.path)
        device = place(self, target, _weights_dtype(program))
        yield GraphModel(self, _Program(self.path, program, device))

    def _require_program(self) -> dict[str, str | int]:
        """What the program says of itself."""
        return _described(self.path, *state_of(self.path))


class _Program:
    """The program as a module on its device, fed by the names of its arguments."""

    def __init__(self, path: Path, program: ExportedProgram, device: torch.device) -> None:
        self.device = device
        if device.type != "cpu" or any(tensor.device.type != "cpu" for tensor in program.state_dict.values()):
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, str(device))
        self.inputs: Sequence[Input] = list(_inputs(path, program))
        self.num_parameters = sum(parameter.numel() for parameter in program.parameters())
        self._arguments = list(_arguments(program))
        self._spec = program.call_spec.in_spec
        self._module = program.module()

    def run(self, feeds: Mapping[str, Tensor]) -> Sequence[Any]:
        from torch.utils._pytree import tree_leaves, tree_unflatten

        flat = [feeds.get(name, constant) for name, constant in self._arguments]
        positional, keywords = tree_unflatten(flat, self._spec)
        return tree_leaves(self._module(*positional, **keywords))


def _loaded(path: Path) -> ExportedProgram:
    import torch

    try:
        return torch.export.load(path)
    except Exception as error:  # damaged files raise all kinds
        raise Failed(
            f"{path}: PyTorch {torch.__version__} cannot load it: {summary(error)}; a file of a newer PyTorch, or of "
            "a device that this machine lacks, must be exported again"
        ) from error


def _arguments(program: ExportedProgram) -> Iterator[tuple[str, Any]]:
    """Name of each argument, in order, and what it is if it is no tensor but was fixed in the export."""
    from torch.export.graph_signature import ConstantArgument, InputKind

    for spec in program.graph_signature.input_specs:
        if spec.kind == InputKind.USER_INPUT:
            yield spec.arg.name, spec.arg.value if isinstance(spec.arg, ConstantArgument) else None


def _inputs(path: Path, program: ExportedProgram) -> Iterator[Input]:
    import torch
    from torch.export.graph_signature import ConstantArgument, InputKind

    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    for spec in program.graph_signature.input_specs:
        if spec.kind != InputKind.USER_INPUT or isinstance(spec.arg, ConstantArgument):
            continue
        value = values.get(spec.arg.name)
        if not isinstance(value, torch.Tensor):
            raise Failed(f"{path}: its input {spec.arg.name} is a {type(value).__name__}, expected tensors alone")
        yield Input(spec.arg.name, tuple(n if isinstance(n, int) else None for n in value.shape), value.dtype)


def _weights_dtype(program: ExportedProgram) -> str | None:
    """Of most weights in floating point, such as ``float32``."""
    sizes: Counter[str] = Counter()
    for tensor in program.state_dict.values():
        if tensor.dtype.is_floating_point:
            sizes[str(tensor.dtype).removeprefix("torch.")] += tensor.numel()
    return sizes.most_common(1)[0][0] if sizes else None


@cache
def _described(path: Path, modified_ns: int, size: int) -> dict[str, str | int]:
    """Read once a process for each state of the file, and nothing of it is run."""
    expected = "expected the file of torch.export.save; is it cut short, or of another kind?"
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(PROGRAMS)]
            if len(names) != 1:
                raise Failed(f"{path}: found {len(names)} exported programs called 'model' in it; {expected}")
            program = json.loads(archive.read(names[0]))
        return {
            "opset": program["opset_version"]["aten"],
            "producer": f"pytorch {program.get('torch_version', '')}".strip(),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise Failed(f"{path}: {summary(error)}; {expected}") from error
