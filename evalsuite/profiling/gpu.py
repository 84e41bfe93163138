"""Who else computes on a GPU."""

from __future__ import annotations

from collections.abc import Iterable


def other_processes(uuids: Iterable[str]) -> int:
    """Processes that compute on these NVIDIA GPUs now, when none of this session's is left; 0 where nobody tells.

    Asked then because, in a container, the driver's process ids are not those that the session knows its own by.
    """
    try:
        import pynvml
    except ImportError:
        return 0
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}") for uuid in uuids]
        return sum(len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle)) for handle in handles)
    except pynvml.NVMLError:
        return 0


def device_uuid(device: str) -> str:
    """The present device's name for the driver; "" where it is no NVIDIA GPU."""
    if device != "cuda":
        return ""
    import torch

    return str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
