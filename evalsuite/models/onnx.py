"""Adapter ``onnx``: a network in an ONNX file, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from evalsuite.errors import Failed, Unavailable
from evalsuite.files import content_key
from evalsuite.models._graph.declaration import GraphSettings
from evalsuite.models._graph.inputs import Input
from evalsuite.models._graph.model import GraphModel, place, summary
from evalsuite.models._graph.onnx_file import OnnxFile, missing
from evalsuite.models.contract import LoadedModel
from evalsuite.targets.contract import Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor

VERSION = 1


class Onnx(GraphSettings):
    """A network in an ONNX file, as :class:`evalsuite.models._graph.declaration.GraphSettings` declares it.

    An ONNX file holds operators and weights and no code, so it needs no ``--allow-code``; operators of custom libraries
    are not loaded. Its weights may lie in other files of the same folder. On a ``cuda`` target the package
    ``onnxruntime-gpu`` is needed; noise and states pass through the processor's memory between steps.
    """

    package_extra: ClassVar[str] = "onnx"
    runs_user_code: ClassVar[bool] = False

    def fingerprint(self) -> str:
        """SHA-256 over the file and those that hold its weights, the settings, and ONNX Runtime's version.

        Raises:
            Unavailable: a file or a package is not there.
            Failed: the file is no ONNX model.
        """
        hashes = self._file().hashes()
        return content_key(["onnx", VERSION, _runtime().__version__, hashes, self.pixel_settings()])

    def provenance(self) -> dict[str, str | int | float | None]:
        file = self._file()
        return {
            "source": self.path.name,
            "sha256": file.hashes()[0],
            "licence": self.licence,
            "size_bytes": file.size_bytes(),
            "opset": file.opset,
            "producer": file.producer,
            "onnxruntime": _runtime().__version__,
        }

    def import_libraries(self) -> None:
        """ONNX Runtime, and what reads the file's header."""
        _runtime()
        self._file()

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        file = self._file()
        device = place(self, target, file.weights_dtype)
        yield GraphModel(self, _Session(file, device, target))

    def _file(self) -> OnnxFile:
        return OnnxFile.read(self.path)


class _Session:
    """ONNX Runtime's session, fed with and returning tensors on the CPU."""

    def __init__(self, file: OnnxFile, device: torch.device, target: Target) -> None:
        import torch

        chosen = providers(device, target.memory_limit)
        self.device = torch.device("cpu")
        self.num_parameters = file.num_parameters
        self._session = _loaded(file, chosen, _options(target.threads))
        self.inputs: Sequence[Input] = [_input(file, one) for one in self._session.get_inputs()]
        wanted, started = chosen[0][0], self._session.get_providers()
        if wanted not in started:
            raise Unavailable(
                f"ONNX Runtime could not start its {wanted} and fell back to {started[0]}; it needs the CUDA and cuDNN "
                "versions that this onnxruntime-gpu was built for"
            )

    def run(self, feeds: Mapping[str, Tensor]) -> Sequence[Any]:
        import torch

        found = self._session.run(None, {name: tensor.numpy() for name, tensor in feeds.items()})
        return [torch.from_numpy(one) if hasattr(one, "dtype") else one for one in found]


def providers(device: torch.device, memory_limit: int | None) -> list[tuple[str, dict[str, Any]]]:
    """ONNX Runtime's names and options for a device, in full precision and without a search for kernels.

    Raises:
        Unavailable: this ONNX Runtime cannot use the device.
    """
    processor: tuple[str, dict[str, Any]] = ("CPUExecutionProvider", {})
    if device.type == "cpu":
        return [processor]
    if device.type != "cuda":
        raise Unavailable(f"the adapter onnx runs on the devices cpu and cuda, and the target's is {device.type}")
    if "CUDAExecutionProvider" not in _runtime().get_available_providers():
        raise Unavailable(
            "the installed ONNX Runtime has no CUDA support; install it with: pip uninstall onnxruntime && "
            "pip install onnxruntime-gpu"
        )
    options: dict[str, Any] = {"device_id": device.index or 0, "use_tf32": 0, "cudnn_conv_algo_search": "DEFAULT"}
    if memory_limit is not None:
        options["gpu_mem_limit"] = memory_limit
    return [("CUDAExecutionProvider", options), processor]


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise missing("onnxruntime") from error
    return onnxruntime


def _options(threads: int | None) -> Any:
    import torch

    options = _runtime().SessionOptions()
    # Its own default counts the machine's cores, of which this process may have fewer; the target told PyTorch.
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what goes wrong is raised, and said once
    return options


def _loaded(file: OnnxFile, chosen: list[tuple[str, dict[str, Any]]], options: Any) -> Any:
    runtime = _runtime()
    try:
        return runtime.InferenceSession(str(file.path), options, providers=chosen)
    except Exception as error:  # its exceptions have no base of their own
        said = summary(error)
        hint = "expected a model of standard operators"
        if "opset" in said or "IR version" in said:
            hint = "install a newer onnxruntime, or export with an older opset_version"
        raise Failed(
            f"{file.path}: ONNX Runtime {runtime.__version__} cannot load it (opset {file.opset}): {said}; {hint}"
        ) from error


def _input(file: OnnxFile, one: Any) -> Input:
    import torch

    kinds = {
        "tensor(float)": torch.float32,
        "tensor(float16)": torch.float16,
        "tensor(double)": torch.float64,
        "tensor(int32)": torch.int32,
        "tensor(int64)": torch.int64,
    }
    if one.type not in kinds:
        raise Failed(f"{file.path}: its input {one.name} is a {one.type}, expected one of {', '.join(sorted(kinds))}")
    return Input(one.name, tuple(size if isinstance(size, int) else None for size in one.shape), kinds[one.type])
