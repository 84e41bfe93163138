"""An exported network in memory as a model: noise by the seeds, the sampler's steps, guidance, and pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import EvalsuiteError, Failed, Skipped
from evalsuite.models._graph.declaration import GraphSettings
from evalsuite.models._graph.inputs import Input, bind, label_tensor, time_tensor, typed
from evalsuite.models.contract import Batch, Probe
from evalsuite.noise import initial_noise
from evalsuite.targets.contract import Target

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Network(Protocol):
    """What a file format's library makes of a file.

    Attributes:
        inputs: all that must be fed.
        device: where tensors are fed and come back.
        num_parameters: numbers in floating point that the file holds as weights.
    """

    @property
    def inputs(self) -> Sequence[Input]: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def num_parameters(self) -> int: ...

    def run(self, feeds: Mapping[str, Tensor]) -> Sequence[Any]:
        """The outputs for one batch, in the file's order."""
        ...


class GraphModel:
    """A loaded model (see :class:`evalsuite.models.contract.LoadedModel`) of any network.

    The noise of a sample is drawn as for every other model, so that an export of a zoo model is paired with it.

    Raises:
        Failed: the network's inputs are not what the settings declare.
    """

    def __init__(self, settings: GraphSettings, network: Network) -> None:
        self.settings, self.network = settings, network
        self.inputs = bind(settings, network.inputs)
        self.batch_size = self.inputs["noise"].shape[0]

    def num_parameters(self) -> int:
        return self.network.num_parameters

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """Images uint8 ``[B, C, H, W]``.

        Raises:
            Failed: the network failed, or returned another shape, another type or values that are not finite.
        """
        import torch

        with torch.inference_mode():
            return self._pixels(self.sample(batch, probe))

    def sample(self, batch: Batch, probe: Probe) -> Tensor:
        """Images ``[B, C, H, W]`` as the network or its sampler returns them, not clipped."""
        image = initial_noise(batch.seeds, self.settings.noise_dims, batch.noise).to(self.network.device)
        labels, sampler, steps = self._labels(batch), self.settings.sampler, self.settings.steps
        if sampler is None:
            with probe.stage("denoise"):
                return self._call(image, None, labels)
        assert steps is not None  # the settings have seen to it
        states = sampler.chosen.states(lambda x, time: self._guided(x, time, labels), image, steps)
        for step in range(steps):
            with probe.stage("denoise", step):
                image = next(states)
        return image

    def _labels(self, batch: Batch) -> Tensor | None:
        import torch

        if self.settings.condition == "none":
            return None
        labels = batch.labels
        if labels is None:
            if self.settings.null_class is None:
                raise Failed(
                    f"{self.settings.path}: it takes a label, and this suite asks for no classes; say which label "
                    "stands for none, as null_class"
                )
            labels = np.full(len(batch.seeds), self.settings.null_class, np.int64)
        return torch.from_numpy(labels).to(self.network.device)

    def _guided(self, x: Tensor, time: float, labels: Tensor | None) -> Tensor:
        """The prediction; with guidance from one batch of double size, as it is usually run."""
        import torch

        scale = self.settings.guidance_scale
        if labels is None or scale is None or not self.settings.guided:
            return self._call(x, time, labels).float()
        null = torch.full_like(labels, self.settings.null_class or 0)
        both = self._call(torch.cat([x, x]), time, torch.cat([labels, null])).float()
        conditional, unconditional = both.chunk(2)
        return unconditional + scale * (conditional - unconditional)

    def _call(self, x: Tensor, time: float | None, labels: Tensor | None) -> Tensor:
        """The network on a batch of any size; one exported for a fixed size gets that, filled up with repetitions."""
        import torch

        size, parts = self.batch_size or len(x), []
        for start in range(0, len(x), size):
            rows = torch.arange(start, start + size, device=x.device).clamp(max=len(x) - 1)
            parts.append(self._run(x[rows], time, None if labels is None else labels[rows]))
        return torch.cat(parts)[: len(x)]

    def _run(self, x: Tensor, time: float | None, labels: Tensor | None) -> Tensor:
        feeds = {self.inputs["noise"].name: x.to(self.inputs["noise"].dtype)}
        if time is not None:
            feeds[self.inputs["time"].name] = time_tensor(self.inputs["time"], time, x)
        if labels is not None:
            feeds[self.inputs["label"].name] = label_tensor(self.settings, self.inputs["label"], labels)
        try:
            outputs = self.network.run(feeds)
        except (EvalsuiteError, MemoryError):
            raise
        except Exception as error:  # libraries raise types of their own
            raise Failed(f"{self.settings.path}: running it failed: {summary(error)}") from error
        return self._checked(outputs, len(x))

    def _checked(self, outputs: Sequence[Any], count: int) -> Tensor:
        """The output that is meant, if it is what the settings promise."""
        import torch

        number, sampler, shape = self.settings.output, self.settings.sampler, self.settings.image_shape
        if number >= len(outputs):
            raise Failed(f"{self.settings.path}: found {len(outputs)} outputs, and output is {number}, counted from 0")
        output = outputs[number]
        channels = shape[0] if sampler is None else sampler.chosen.channels(shape[0])
        expected = [count, channels, *shape[1:]]
        kinds = "floating point or uint8" if sampler is None else "floating point"
        right = isinstance(output, torch.Tensor) and list(output.shape) == expected
        if not right or not (output.dtype.is_floating_point or (sampler is None and output.dtype == torch.uint8)):
            is_tensor = isinstance(output, torch.Tensor)
            found = typed(output.dtype, output.shape) if is_tensor else type(output).__name__
            raise Failed(
                f"{self.settings.path}: its output {number} is {found}, expected {kinds} {expected}: the batch, "
                "channels, height and width"
            )
        prediction: Tensor = output[:, : shape[0]]
        return prediction

    def _pixels(self, images: Tensor) -> NDArray[np.uint8]:
        import torch

        if images.dtype == torch.uint8:
            whole: NDArray[np.uint8] = images.cpu().numpy()
            return whole
        values: NDArray[np.float32] = images.float().cpu().numpy()
        if not np.isfinite(values).all():
            raise Failed(
                f"{self.settings.path}: it returned values that are not finite (NaN or infinity); expected images; "
                "float16 overflows beyond 65504, and a wrong sampler makes values grow"
            )
        low, high = self.settings.output_range
        pixels: NDArray[np.uint8] = np.clip(np.rint((values - low) * (255 / (high - low))), 0, 255).astype(np.uint8)
        return pixels


def place(settings: GraphSettings, target: Target, found: str | None) -> torch.device:
    """The device that the target means.

    Args:
        found: dtype of the network's weights, such as ``float32``; None if it has none in floating point.

    Raises:
        Skipped: the target computes in another dtype: an exported network keeps its own.
    """
    import torch

    if found not in (None, target.dtype):
        raise Skipped(
            f"{settings.path}: its weights are {found}, and the target computes in {target.dtype}; export it in "
            f"{target.dtype}, or give it a target with dtype: {found}"
        )
    return torch.device(target.torch_device)


def summary(error: Exception) -> str:
    """The first line of what a library says."""
    return f"{type(error).__name__}: {next(iter(str(error).strip().splitlines()), '')}"
