"""From settings to a pipeline in memory: its class, scheduler, VAE and LoRA, each part on the target."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

from evalsuite.errors import CellError, Failed, Unavailable, nearest
from evalsuite.models.diffusers.checkpoint import Checkpoint
from evalsuite.models.diffusers.place import missing
from evalsuite.targets.contract import Target

if TYPE_CHECKING:
    from evalsuite.models.diffusers import Diffusers
    from evalsuite.models.diffusers.parts import Lora

LORA_NAME = "lora"

COMPARED = ("OnnxRuntimeModel", "BaseGuidance")
"""Classes that the library looks for among the parts of every pipeline, and imports for that."""


@contextmanager
def loaded(settings: Diffusers, target: Target) -> Iterator[Any]:
    """The pipeline, ready on its target.

    Raises:
        Unavailable: a package or a file is missing.
        Failed: the files cannot be loaded as what they are said to be.
    """
    checkpoint = settings.checkpoint()
    name = settings.class_name(checkpoint)
    checkpoint.files(settings.variant, settings.unread)  # refuses pickles
    try:
        pipeline = _loaded(settings, checkpoint, target)
    except CellError:
        raise
    except Exception as error:  # damaged files raise all kinds, from KeyError to SafetensorError
        raise Failed(f"{checkpoint.folder}: cannot be loaded as {name}: {type(error).__name__}: {error}") from error
    yield pipeline


def _loaded(settings: Diffusers, checkpoint: Checkpoint, target: Target) -> Any:
    import torch

    library = quiet_library()
    options = {"local_files_only": True, "use_safetensors": True, "dtype": getattr(torch, target.dtype)}
    pipeline_class = _class_of(library, settings.class_name(checkpoint), library.DiffusionPipeline)
    given = _given(settings, checkpoint, pipeline_class, library, options)
    pipeline = pipeline_class.from_pretrained(checkpoint.folder, variant=settings.variant, **options, **given)
    pipeline.scheduler = _scheduler(settings, pipeline, library)
    if settings.lora is not None:
        _add_lora(pipeline, settings.lora)
    if settings.vae.tiling:
        pipeline.vae.enable_tiling()
    if settings.vae.slicing:
        pipeline.vae.enable_slicing()
    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module):
            setattr(pipeline, name, _prepared(part, target))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _prepared(part: Any, target: Target) -> Any:
    """A part on the target; what the library loads in float32 for any dtype, since it overflows in others, stays so."""
    import torch

    tensors = chain(part.named_parameters(), part.named_buffers())
    half = target.dtype != "float32"
    return target.place(part, keep={name for name, tensor in tensors if half and tensor.dtype == torch.float32})


def quiet_library() -> Any:
    """The package ``diffusers``, imported only when a pipeline is loaded, without its progress bars.

    Raises:
        Unavailable: it, or ``transformers``, is not installed.
    """
    try:
        import diffusers
        import transformers
    except ImportError as error:
        raise Unavailable(missing(error.name or "diffusers")) from error
    for package in (diffusers, transformers):
        log: Any = package.utils.logging
        log.disable_progress_bar()
        log.set_verbosity_error()
    return diffusers


def import_libraries(settings: Diffusers) -> None:
    """All that :func:`loaded` imports; the library imports a class when it is first asked for."""
    library = quiet_library()
    for name in (settings.class_name(settings.checkpoint()), *COMPARED):
        getattr(library, name, None)
    if settings.lora is not None and find_spec("peft"):
        import_module("peft")


def _class_of(library: Any, name: str, base: type) -> Any:
    """A class of the library.

    Raises:
        Failed: it has none of that name and kind.
    """
    found = getattr(library, name, None)
    if not isinstance(found, type) or not issubclass(found, base):
        raise Failed(
            f"{name}: found no such {base.__name__} in diffusers {library.__version__}; {nearest(name, dir(library))}"
        )
    return found


def _given(
    settings: Diffusers, checkpoint: Checkpoint, pipeline_class: Any, library: Any, options: dict[str, Any]
) -> dict[str, Any]:
    """Parts that are not read from the folder."""
    accepted = inspect.signature(pipeline_class.__init__).parameters
    given: dict[str, Any] = {}
    if settings.vae.replaces:
        folder = settings.vae.folder()
        name = str(Checkpoint(folder, {}).config("").get("_class_name"))
        given["vae"] = _class_of(library, name, library.ModelMixin).from_pretrained(folder, **options)
    if not settings.safety_checker and "safety_checker" in accepted:
        given |= {"safety_checker": None, "requires_safety_checker": False}
    if "add_watermarker" in accepted:
        given["add_watermarker"] = False  # else the images would depend on whether a watermarking package is there
    return given


def _scheduler(settings: Diffusers, pipeline: Any, library: Any) -> Any:
    """The scheduler as it was chosen.

    Raises:
        Failed: there is none of that name, or it has no such setting.
    """
    change, own = settings.scheduler, pipeline.scheduler
    kind = _class_of(library, change.kind, library.SchedulerMixin) if change.kind else type(own)
    known = inspect.signature(kind.__init__).parameters
    for name in change.overrides:
        if name not in known:
            raise Failed(f"{kind.__name__} has no setting {name!r}; {nearest(name, set(known) - {'self'})}")
    return kind.from_config(own.config, **change.overrides)


def _add_lora(pipeline: Any, lora: Lora) -> None:
    file = lora.file()
    if not hasattr(pipeline, "load_lora_weights"):
        raise Failed(f"{type(pipeline).__name__} takes no LoRA, and {lora.source} is set")
    pipeline.load_lora_weights(
        str(file.parent), weight_name=file.name, adapter_name=LORA_NAME, local_files_only=True, use_safetensors=True
    )
    if lora.fuse:
        pipeline.fuse_lora(lora_scale=lora.scale)
        pipeline.unload_lora_weights()
    else:
        pipeline.set_adapters([LORA_NAME], [lora.scale])
