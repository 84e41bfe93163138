"""Adapter ``python``: a user's own model, as a function or a class. Runs the user's code, so only with --allow-code."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator

from evalsuite.errors import CellError, Failed, Skipped
from evalsuite.files import content_key
from evalsuite.models.contract import Batch, Capabilities, Condition, LoadedModel, Probe, Unusual
from evalsuite.records import Scalar
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target

VERSION = 1


class Python(Settings):
    """A model written as Python.

    ``callable`` names either a function ``(seeds, condition) -> images``, with int64 ``[B]`` seeds, int64 ``[B]``
    labels, a list of prompts or None, and uint8 ``[B, C, H, W]`` images; or a class, made with ``options`` as keyword
    arguments, whose ``open(target)`` is a context manager that yields an object with ``generate(batch, probe)``, as in
    :class:`evalsuite.models.contract.ModelAdapter`. What the model can do is said here and not by its code, so that
    its code runs in child processes only.

    Attributes:
        callable: ``module:name``, or ``file.py:name`` with the path relative to the suite file.
        version: counted up by the author when the model changes in ways that its source file does not show, such as
            new weights. Without it, samples are never taken from the cache.
        condition: ``class`` if it uses labels, ``text`` if it uses prompts.
        seeded: whether the seed decides the image.
        noise: whether it obeys ``batch.noise``, for latent slices; a function never gets to see it.
        unusual: ``blend`` if it obeys ``batch.blend``, ``empty`` if its labels may be None; not for functions.
        num_steps, nfe: steps and network evaluations of one image, for the report.
        tolerance: largest difference of a pixel (0 to 255, before rounding) that the batch size may make; the
            rounding of float32 networks is allowed for.
        options: keyword arguments for the class.
        licence: of the model, for the record.
    """

    callable: str = Field(pattern=r"^[^:]+:[A-Za-z_][A-Za-z0-9_]*$")
    version: str | None = None
    condition: Condition = "class"
    seeded: bool = True
    noise: bool = False
    unusual: tuple[Unusual, ...] = ()
    num_steps: int | None = Field(default=None, ge=1)
    nfe: int | None = Field(default=None, ge=1)
    tolerance: float = Field(default=0.02, ge=0, le=255)
    options: dict[str, Scalar] = Field(default_factory=dict)
    licence: str = "unknown"

    runs_user_code: ClassVar[bool] = True

    @field_validator("callable")
    @classmethod
    def _from_the_suite_file(cls, value: str, info: ValidationInfo) -> str:
        """The path of a file is taken from the suite's folder."""
        place, _, name = value.rpartition(":")
        base = (info.context or {}).get("base")
        if not place.endswith(".py"):
            return value
        path = Path(place).expanduser()
        return f"{(Path(base) / path if base is not None and not path.is_absolute() else path).absolute()}:{name}"

    def fingerprint(self) -> str:
        """SHA-256 over the declared version, the source file and the settings; "" without a declared version.

        Raises:
            Failed: there is no such file or module.
        """
        source = hashlib.sha256(self._source_file().read_bytes()).hexdigest()
        if self.version is None:
            return ""
        settings = self.model_dump(exclude={"callable", "licence", "tolerance"})
        return content_key(["python", VERSION, source, self._name, settings])

    def capabilities(self) -> Capabilities:
        """What the settings say."""
        return Capabilities(
            condition=self.condition,
            seeded=self.seeded,
            noise=self.noise,
            unusual=frozenset(self.unusual),
            num_steps=self.num_steps,
            nfe=self.nfe,
            tolerance=self.tolerance,
        )

    def provenance(self) -> dict[str, str | int | float | None]:
        return {"source": self.callable, "version": self.version, "licence": self.licence}

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        named = self._named()
        _turn_gradients_off()
        if not inspect.isclass(named):
            self._require_obeyed(set(target.demands()) - {"memory_limit"}, "is a function, which gets no target")
            yield _Function(named)
            return
        with self._opened(named, target) as loaded:
            ignored = set() if target.weights() else {"compile", "quantize", "channels_last"} & set(target.demands())
            self._require_obeyed(ignored, "prepares no network by target.prepare()")
            if not callable(getattr(loaded, "generate", None)):
                raise Failed(
                    f"{self.callable}: open() gave a {type(loaded).__name__}, expected an object with generate()"
                )
            yield loaded

    @property
    def _place(self) -> str:
        return self.callable.rpartition(":")[0]

    @property
    def _name(self) -> str:
        return self.callable.rpartition(":")[2]

    def _require_obeyed(self, ignored: Collection[str], why: str) -> None:
        if ignored:
            raise Skipped(
                f"{self.callable} {why}, so the target's {' and '.join(sorted(ignored))} would have no effect; "
                "give it a target without"
            )

    def _source_file(self) -> Path:
        if self._place.endswith(".py"):
            path = Path(self._place)
            if not path.is_file():
                raise Failed(f"{path}: found no such file; expected the Python file that defines {self._name}")
            return path
        try:
            spec = importlib.util.find_spec(self._place)
        except (ImportError, ValueError) as error:
            raise Failed(f"{self.callable}: the module cannot be found: {error}") from error
        if spec is None or spec.origin is None or not Path(spec.origin).is_file():
            raise Failed(f"{self.callable}: found no module {self._place!r}; is it installed, or on PYTHONPATH?")
        return Path(spec.origin)

    def _named(self) -> Any:
        """What ``callable`` names; its module is run now."""
        path = self._source_file()
        try:
            module = _run_file(path) if self._place.endswith(".py") else importlib.import_module(self._place)
        except Exception as error:
            raise Failed(f"{self.callable}: importing it failed: {type(error).__name__}: {error}") from error
        found = getattr(module, self._name, None)
        if not callable(found):
            raise Failed(f"{self.callable}: found no function or class {self._name!r} in {path.name}")
        return found

    def _opened(self, model: type, target: Target) -> AbstractContextManager[Any]:
        try:
            opened = model(**self.options).open(target)
        except CellError:
            raise
        except Exception as error:
            raise Failed(f"{self.callable}: opening it failed: {type(error).__name__}: {error}") from error
        if not isinstance(opened, AbstractContextManager):
            raise Failed(f"{self.callable}: open() gave a {type(opened).__name__}, expected a context manager")
        return opened


class _Function:
    """A plain function as a loaded model."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def generate(self, batch: Batch, probe: Probe) -> NDArray[Any]:
        """What the function returns; the engine checks that it is uint8 ``[B, C, H, W]``."""
        condition = batch.labels if batch.prompts is None else list(batch.prompts)
        images: NDArray[Any] = self.function(batch.seeds, condition)
        return images


def _turn_gradients_off() -> None:
    """As the target does for modules that it prepares, if the user's code uses PyTorch at all."""
    if "torch" in sys.modules:
        import torch

        torch.set_grad_enabled(False)


def _run_file(path: Path) -> Any:
    """The module of a file, under a name of its own, once a process; it can import its neighbours, as a script can."""
    name = f"evalsuite_user_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last, so that no neighbour takes the place of what is installed
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
