"""The claims of a model's contract, and how each is checked at the bench."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

import numpy as np

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch
from evalsuite.pipeline.contract_check.bench import Bench, Finding, Idle, Images, advice_on_shape
from evalsuite.pipeline.contract_check.examinee import Trial
from evalsuite.pipeline.generate import checked_images
from evalsuite.records import NoiseSpec

OTHER_NOISE = {
    "noise of half the strength": NoiseSpec(0.5),
    "noise with heavy tails": NoiseSpec(kind="student_t", amount=3),
}
"""Far enough from a standard normal to show in images of 8 bits a channel."""


def _opens(bench: Bench) -> Finding:
    if bench.opened.error:
        return Finding("wrong", bench.opened.error, "a model that loads")
    return Finding("ok", f"in {bench.opened.seconds:.2g} s")


def _generates(bench: Bench) -> Finding:
    if bench.whole.error:
        return Finding("wrong", bench.whole.error, f"{bench.size} images")
    return Finding("ok", f"{bench.size} images in {bench.whole.seconds:.2g} s")


def _returned(bench: Bench) -> Trial:
    """What the whole batch came to.

    Raises:
        Idle: nothing was returned.
    """
    if bench.whole.error:
        raise Idle("nothing was returned")
    return bench.whole


def _dtype(bench: Bench) -> Finding:
    trial = _returned(bench)
    if trial.images is None:
        return Finding("wrong", trial.returned, "a numpy array", "of a tensor: images.cpu().numpy()")
    if trial.images.dtype != np.uint8:
        advice = "of values in [-1, 1]: np.rint((images + 1) * 127.5).clip(0, 255).astype(np.uint8)"
        return Finding("wrong", trial.returned, "uint8, black 0 and white 255", advice)
    return Finding("ok", "uint8")


def _finite(bench: Bench) -> Finding:
    images = _returned(bench).images
    if images is None:
        raise Idle("it is no array")
    if images.dtype.kind != "f":
        return Finding("ok", "whole numbers always are")
    bad = int((~np.isfinite(images)).sum())
    if bad:
        return Finding("wrong", f"{bad} of {images.size} values are NaN or infinite", "finite values")
    return Finding("ok", "all values")


def _shape(bench: Bench) -> Finding:
    trial = _returned(bench)
    if trial.images is None:
        raise Idle("it is no array")
    declared = bench.capabilities.image_shape
    try:
        checked_images(np.zeros_like(trial.images, np.uint8), bench.size, declared)
    except Failed:
        expected = "[{}, {}]".format(bench.size, ", ".join(map(str, declared or ("1 or 3", "H", "W"))))
        return Finding("wrong", str(list(trial.images.shape)), expected, advice_on_shape(trial.images))
    return Finding("ok", str(list(trial.images.shape)))


def _batch_of_one(bench: Bench) -> Finding:
    images = bench.images_of(bench.rows([0]))
    return Finding("ok", f"uint8 {list(images.shape)}")


def _same_seed(bench: Bench) -> Finding:
    _require_seeded(bench)
    advice = "draw from generators that are made anew in each call, of the samples' seeds; leave dropout off"
    return bench.alike(bench.images_of(bench.batch), _all(bench), advice)


def _alone(bench: Bench) -> Finding:
    _require_seeded(bench)
    last = bench.size - 1
    if not last:
        raise Idle("there is one sample only")
    advice = "give each sample a generator of its own, torch.Generator().manual_seed(int(seed)), on the CPU"
    return bench.alike(bench.images_of(bench.rows([last])), [last], f"{advice}; {_ADVICE_ON_BATCHES}")


def _any_order(bench: Bench) -> Finding:
    _require_seeded(bench)
    if bench.size == 1:
        raise Idle("there is one sample only")
    backwards = _all(bench)[::-1]
    advice = "let a sample take nothing from its place in the batch"
    return bench.alike(bench.images_of(bench.rows(backwards)), backwards, f"{advice}; {_ADVICE_ON_BATCHES}")


_ADVICE_ON_BATCHES = "keep batch normalisation in eval mode; where rounding is all, say a larger tolerance"


def _other_seeds(bench: Bench) -> Finding:
    """Samples that differ in nothing but their seeds."""
    _require_seeded(bench)
    asked_for_the_same = bench.rows([0] * bench.size)
    same = replace(asked_for_the_same, sample_ids=bench.batch.sample_ids, seeds=bench.batch.seeds)
    different = _number_of_different(bench.images_of(same))
    found = f"{different} different images of {bench.size} seeds"
    if different < bench.size:
        return Finding("wrong", found, "as many as seeds", "draw the initial noise from the seeds")
    return Finding("ok", found)


def _condition(bench: Bench) -> Finding:
    """Samples that differ in nothing but what they are asked for."""
    batch = bench.batch
    asked = _asked(batch)
    if not asked:
        raise Idle("it is asked for nothing")
    if bench.capabilities.max_samples is not None:
        raise Idle("its images are there already")
    first_of = [asked.index(one) for one in dict.fromkeys(asked)]
    if len(first_of) == 1:
        raise Idle("all samples are asked for the same")
    same = replace(batch, seeds=np.full_like(batch.seeds, batch.seeds[0]))
    different = _number_of_different(bench.images_of(same)[first_of])
    found = f"{different} different images of {len(first_of)} conditions, from one seed"
    if different < len(first_of):
        advice = "if it means to take no condition, say condition: none"
        return Finding("warning", found, "as many as conditions", advice)
    return Finding("ok", found)


def _asked(batch: Batch) -> list[Hashable]:
    """What each sample is asked for; empty where all are asked for nothing."""
    images = None if batch.images is None else [image.tobytes() for image in batch.images]
    labels = None if batch.labels is None else batch.labels.tolist()
    parts = [part for part in (labels, batch.prompts, images) if part is not None]
    return list(zip(*parts, strict=True))


def _noise(bench: Bench) -> Finding:
    if not bench.capabilities.noise:
        raise Idle("noise: true is not declared; latent slices leave it out")
    found = []
    for name, spec in OTHER_NOISE.items():
        other = bench.images_of(replace(bench.batch, noise=spec))
        changed = int((other != bench.images).any(axis=(1, 2, 3)).sum())
        found.append(f"{name} changes {changed} of {bench.size} images")
        if changed < bench.size:
            advice = "take the initial noise from evalsuite.noise.initial_noise(batch.seeds, shape, batch.noise), or "
            return Finding("wrong", found[-1], "all of them", advice + "leave noise: true out")
    return Finding("ok", "; ".join(found))


def _another_process(bench: Bench) -> Finding:
    """The last check that generates, since the model's process is another one afterwards."""
    _require_seeded(bench)
    expected = list(bench.images.shape)
    opened = bench.place.open()
    if opened.error:
        return Finding("wrong", opened.error, f"uint8 {expected}")
    advice = "let nothing hang on the time, on hash() of a text, or on numbers drawn while the model loads"
    return bench.alike(bench.images_of(bench.batch), _all(bench), advice)


def _num_steps(bench: Bench) -> Finding:
    declared, marked = bench.capabilities.num_steps, _steps(_returned(bench))
    if declared is None:
        told = f"; stages count {marked}, which num_steps: {marked} would put into the report" if marked else ""
        raise Idle(f"num_steps is not declared{told}")
    if not marked:
        raise Idle(f"{declared} declared; no stage tells its step")
    if marked != declared:
        return Finding("wrong", f"{marked} steps in stages", f"{declared}, as declared", f"say num_steps: {marked}")
    return Finding("ok", f"{marked}, as declared")


def _nfe(bench: Bench) -> Finding:
    nfe, steps = bench.capabilities.nfe, bench.capabilities.num_steps or _steps(_returned(bench))
    if nfe is None:
        raise Idle("nfe is not declared")
    if nfe < steps:
        advice = "nfe counts network evaluations of one image; guidance counts two a step"
        return Finding("warning", f"nfe {nfe} for {steps} steps", f"{steps} or more", advice)
    return Finding("ok", f"{nfe}" + (f" in {steps} steps" if steps else ""))


def _stages(bench: Bench) -> Finding:
    stages = _returned(bench).stages
    if not stages:
        raise Idle('none; to time parts of it: with probe.stage("denoise", step)')
    return Finding("ok", ", ".join(dict.fromkeys(name for name, _ in stages)))


def _require_seeded(bench: Bench) -> None:
    if not bench.capabilities.seeded:
        raise Idle("seeded: false is declared")


def _all(bench: Bench) -> list[int]:
    return list(range(bench.size))


def _number_of_different(images: Images) -> int:
    return len({image.tobytes() for image in images})


def _steps(trial: Trial) -> int:
    """Steps of the stage that tells most of them."""
    steps: dict[str, set[int]] = {}
    for name, step in trial.stages:
        if step is not None:
            steps.setdefault(name, set()).add(step)
    return max(map(len, steps.values()), default=0)


CHECKS: dict[str, Callable[[Bench], Finding]] = {
    "opens": _opens,
    "generates": _generates,
    "dtype": _dtype,
    "finite": _finite,
    "shape": _shape,
    "batch of one": _batch_of_one,
    "same seed": _same_seed,
    "alone": _alone,
    "any order": _any_order,
    "other seeds": _other_seeds,
    "condition": _condition,
    "noise": _noise,
    "another process": _another_process,
    "num_steps": _num_steps,
    "nfe": _nfe,
    "stages": _stages,
}
"""By name, in their order: each builds on those before it."""
