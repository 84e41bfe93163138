"""A finished run with plausible numbers, made without any model: what the renderers are tried on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from evalsuite.datasets.fashion_mnist import FashionMnist
from evalsuite.files import write_atomically
from evalsuite.records import (
    Comparison,
    Family,
    Interval,
    Measurement,
    Missing,
    Picture,
    RunRecord,
    Slice,
    Term,
    Timings,
    Tradeoffs,
    Verdict,
    Weights,
)
from evalsuite.reports.contract import ReportInputs

LATENT, STRONGER = "latent.scale=1.1", "latent.scale=1.2"
REFUSED = "Fréchet on a slice needs n >= 320 (5 x 64 features), there are 100"


class Kind(NamedTuple):
    """A metric of the synthetic run: how it is measured, and its values by model quality."""

    metric: str
    unit: str
    higher: bool
    family: Family
    best: float
    worst: float
    spread: float


KINDS: dict[str, Kind] = {
    "fid": Kind("fid", "", False, Family.FRECHET, 9.4, 31.0, 0.6),
    "fid_debiased": Kind("fid_debiased", "", False, Family.FRECHET_DEBIASED, 7.1, 28.6, 0.7),
    "kid": Kind("kid", "", False, Family.MMD, 0.0011, 0.0092, 0.0003),
    "inception_score": Kind("inception_score", "", True, Family.JACKKNIFE, 8.02, 7.1, 0.09),
    "precision": Kind("precision", "", True, Family.JACKKNIFE, 0.861, 0.774, 0.014),
    "recall": Kind("recall", "", True, Family.JACKKNIFE, 0.792, 0.641, 0.017),
    "class_accuracy": Kind("class_accuracy", "", True, Family.PROPORTION, 0.956, 0.893, 0.014),
    "psnr": Kind("psnr", "dB", True, Family.MEAN, 24.1, 16.2, 0.12),
    "ssim": Kind("ssim", "", True, Family.MEAN, 0.884, 0.629, 0.006),
    "latency_p50": Kind("latency", "s", False, Family.LATENCY, 0.0048, 0.071, 0.0006),
    "latency_p90": Kind("latency", "s", False, Family.LATENCY, 0.0061, 0.083, 0.0011),
    "throughput": Kind("throughput", "images/s", True, Family.LATENCY, 402.0, 27.0, 2.1),
    "peak_memory": Kind("peak_memory", "bytes", False, Family.MEMORY, 61e6, 148e6, 2e6),
}
PER_CLASS = ("kid", "class_accuracy", "psnr", "ssim")
LIKENESS = ("psnr", "ssim")
DRIFT = "rounds drift by 14 % (limit 10 %)"
SCENARIOS = {"latency": "single_stream", "throughput": "offline", "peak_memory": "memory"}
WITHOUT_PER_CLASS = ("fid", "fid_debiased")
MODELS = {"teacher": (0.0, 16), "student-4step": (0.18, 4), "student-1step": (0.9, 1), "narrow": (0.45, 8)}
"""By name: how far from best (0) to worst (1) its quality is, and its number of steps."""


def _rng(*names: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:8], "big"))


def around(value: float, half: float, method: str = "delete-group jackknife, t(19)") -> Interval:
    return Interval(low=value - half, high=value + half, level=0.95, method=method)


def _value(name: str, model: str, slice_id: str) -> float:
    kind, (decline, steps) = KINDS[name], MODELS.get(model, (0.5, 4))
    speed = (np.log2(steps) / 4) ** 1.2
    if model == "narrow":
        speed *= 0.6
    share = {True: speed, False: decline}[kind.family in (Family.LATENCY, Family.MEMORY)]
    share += {LATENT: 0.25, STRONGER: 0.4}.get(slice_id, 0.0) * (kind.family is not Family.LATENCY)
    wobble = 0.4 * kind.spread if slice_id == "all" else 1.5 * kind.spread
    return float(kind.best + share * (kind.worst - kind.best) + wobble * _rng(name, model, slice_id).normal())


def measurement(name: str, model: str, target: str = "cpu", slice_id: str = "all") -> Measurement:
    """A plausible measurement of that cell."""
    kind, value = KINDS[name], _value(name, model, slice_id)
    value = min(value, 0.999) if kind.family is Family.PROPORTION else value
    half = kind.spread * (3.2 if slice_id.startswith("class=") else 1.0)
    timed = kind.family in (Family.LATENCY, Family.MEMORY)
    alike = f"teacher@{target}/{slice_id}" if name in LIKENESS else "reference"
    against = "none" if timed else alike
    return Measurement(
        name=name, metric=kind.metric, case_key=f"{model}@{target}/{slice_id}", model=model,
        role="teacher" if model == "teacher" else "student", target=target, slice=slice_id, against=against,
        extractor=None if timed or against.startswith("teacher") else "fashion-cnn", value=value, unit=kind.unit,
        higher_is_better=kind.higher, family=kind.family, interval=around(value, half), n=96 if timed else 1000,
        protocol={"scenario": SCENARIOS[kind.metric]} if timed else {"reference": "sha256:4f1c9e", "resize": "none"},
        invalid=DRIFT if (model, SCENARIOS.get(kind.metric)) == ("narrow", "single_stream") else "",
        **_arrays(name, model, slice_id, value),
    )  # fmt: skip


def _arrays(name: str, model: str, slice_id: str, value: float) -> dict[str, Any]:
    """Influences and values of single samples; the samples that have thumbnails are the worst."""
    if slice_id.startswith("class=") and name == "psnr":
        position = [f"class={one}" for one in FashionMnist().class_names()].index(slice_id)
        return {"sample_ids": np.arange(position, 1000, 10)}
    if slice_id != "all" or name not in ("fid", *LIKENESS):
        return {}
    ids, noise = np.arange(1000), _rng("samples", name, model).normal(size=1000)
    worst = np.where(ids < 10, 5.0 + 0.1 * ids, 0.0)
    if name == "fid":
        return {"sample_ids": ids, "influence": (0.001 * (noise + worst)).astype(np.float32)}
    return {"sample_ids": ids, "per_sample": value * (1 - 0.02 * (noise + worst))}


def comparison(name: str, model: str, target: str = "cpu", slice_id: str = "all") -> Comparison:
    """That student against the teacher."""
    kind = KINDS[name]
    student, teacher = measurement(name, model, target, slice_id), measurement(name, "teacher", target, slice_id)
    terms = [Term(coefficient=1, identity=student.identity), Term(coefficient=-1, identity=teacher.identity)]
    if kind.family in (Family.LATENCY, Family.MEMORY):
        ratio = student.value / teacher.value
        better = (ratio > 1) == kind.higher if abs(ratio - 1) > 0.03 else None
        chance = None if kind.family is Family.MEMORY else 0.0002
        return Comparison(
            name=name, terms=terms, scale="ratio", paired=True, value=ratio, interval=around(ratio, 0.02 * ratio),
            p_value=chance, q_value=chance, better=None if student.invalid else better, n=12, invalid=student.invalid,
        )  # fmt: skip
    gap, half = student.value - teacher.value, kind.spread * (2.6 if slice_id.startswith("class=") else 0.8)
    clear = abs(gap) > half
    chance = 0.0001 if abs(gap) > 2 * half else 0.02 if clear else 0.41
    return Comparison(
        name=name, terms=terms, unit=kind.unit, paired=True, value=gap, interval=around(gap, half), p_value=chance,
        q_value=min(1.0, 1.6 * chance), better=((gap > 0) == kind.higher) if clear else None, n=student.n,
        note="bias-corrected; not the difference of the printed values" if name.startswith("fid") else "",
    )  # fmt: skip


def missing(name: str, model: str, slice_id: str, reason: str, kind: str = "skipped", target: str = "cpu") -> Missing:
    """An absent cell."""
    return Missing.model_validate({
        "name": name, "metric": KINDS[name].metric, "case_key": f"{model}@{target}/{slice_id}", "model": model,
        "role": "teacher" if model == "teacher" else "student", "target": target, "slice": slice_id,
        "kind": kind, "reason": reason,
    })  # fmt: skip


def timings(model: str, target: str = "cpu", *, valid: bool = True) -> Timings:
    """Twelve rounds of eight calls with a long right tail, and now and then an interruption."""
    rng, median = _rng("timings", model), _value("latency_p50", model, "all")
    values = median * (0.97 + rng.gamma(1.5, 0.025, size=(12, 8)) + 0.5 * (rng.random((12, 8)) > 0.98))
    return Timings(
        case_key=f"{model}@{target}/all", scenario="single_stream", batch_size=1, unit="s", warmups=3,
        values=values.tolist(), environment={"processor": "x86_64", "threads": 2, "dtype": "float32"},
        valid=valid, reason="" if valid else DRIFT,
    )  # fmt: skip


def session(model: str, target: str = "cpu") -> list[Timings]:
    """Where the time of a call goes, the first image, batches of three sizes, and memory."""
    whole, noise = _value("latency_p50", model, "all"), _rng("session", model)
    shares = {"text_encoder": 0.04, "denoise": 0.8, "decode": 0.11, "rest": 0.05}
    series: list[tuple[str, str, int, str, float]] = [
        *(("stages", part, 1, "s", share * whole) for part, share in shares.items()),
        *(("cold_start", part, 1, "s", seconds) for part, seconds in (("load", 0.4), ("first_call", 3 * whole))),
        *((f"offline:batch_size={n}", "", n, "s", whole * (0.6 + 0.4 * n)) for n in (1, 8, 32)),
        *(("memory", part, 1, "bytes", size) for part, size in (("", 9e7), ("load", 4e7), ("denoise", 9e7))),
    ]
    return [
        timings(model, target).model_copy(update={
            "scenario": scenario, "series": part, "batch_size": batch, "unit": unit,
            "schedule": "turns" if unit == "s" else "processes",
            "values": (middle * noise.uniform(0.97, 1.03, size=(12, 2))).tolist(),
        })
        for scenario, part, batch, unit, middle in series
    ]  # fmt: skip


def weights(model: str, *, in_int8: bool) -> Weights:
    """A network of 31 layers, all in eight bits or none."""
    layers, size = ({"int8_layers": 31}, 1_920_000) if in_int8 else ({"float_layers": 31}, 7_460_000)
    return Weights(model=model, target="cpu", parameters=1_866_180, weight_bytes=size, **layers)


def gallery(folder: Path, models: Sequence[str], columns: int = 10) -> list[Picture]:
    """Thumbnails from the test split, one class a column, noisier for worse models."""
    data = FashionMnist()
    labels, names = data.labels(), data.class_names()
    ids = np.array([np.flatnonzero(labels == k % 10)[3 + k // 10] for k in range(columns)])
    images = data.images(ids)
    pictures = []
    for model in models:
        for i, image in enumerate(images):
            noise = _rng("gallery", model, str(i)).normal(0, 60 * MODELS.get(model, (0.5, 4))[0], image.shape)
            pixels = np.clip(image + noise, 0, 255).astype(np.uint8)
            buffer = BytesIO()
            Image.fromarray(pixels[0]).save(buffer, "PNG")
            file = f"gallery/{model}-{i}.png"
            write_atomically(folder / file, buffer.getvalue())
            pictures.append(Picture(
                sample_id=i, case_key=f"{model}@cpu/all", label=names[i % 10], file=file,
                sha256=hashlib.sha256(buffer.getvalue()).hexdigest(),
            ))  # fmt: skip
    return pictures


def suite(models: Sequence[str], targets: Sequence[str] = ("cpu",)) -> dict[str, Any]:
    """A resolved suite as a record keeps it."""
    return {
        "suite": "quickstart", "version": 1, "task": "class_conditional",
        "reference": {"dataset": "fashion-mnist", "settings": {"split": "test"}},
        "sampling": {"num_samples": 1000, "seed": 0},
        "models": {
            model: {"role": "teacher" if model == "teacher" else "student", "adapter": "zoo",
                    "settings": {"name": f"fashion-{model}", "num_steps": MODELS.get(model, (0, 4))[1]}}
            for model in models
        },
        "targets": {t: {"device": "cpu", "settings": {"dtype": "float32", "threads": 2}} for t in targets},
        "metrics": [{"name": name, "metric": kind.metric, "settings": {}} for name, kind in KINDS.items()],
        "slices": [
            {"kind": "attribute", "settings": {"by": "class"}},
            {"kind": "latent", "settings": {"scale": [1.1, 1.2]}},
        ],
        "gates": [{"metric": "fid", "candidate": "student-4step", "against": "teacher", "test": "non_inferiority"}],
    }  # fmt: skip


def quickstart(folder: Path) -> ReportInputs:
    """Four models, all metrics, ten class slices, two of the noise, timings, a gallery, verdicts."""
    names = list(MODELS)
    classes = [f"class={name}" for name in FashionMnist().class_names()]
    cells, absent, found = [], [], []
    for slice_id in ["all", LATENT, STRONGER, *classes]:
        for name, kind in KINDS.items():
            timed = kind.family in (Family.LATENCY, Family.MEMORY)
            for model in names:
                if (name in LIKENESS and model == "teacher") or (timed and slice_id != "all"):
                    continue
                if slice_id.startswith("class=") and name not in PER_CLASS:
                    absent += [missing(name, model, slice_id, REFUSED)] if name in WITHOUT_PER_CLASS else []
                    continue
                cells.append(measurement(name, model, slice_id=slice_id))
                if model != "teacher" and name not in LIKENESS:
                    found.append(comparison(name, model, slice_id=slice_id))
    record = RunRecord(
        suite=suite(names), suite_hash="5c1e" * 16,
        environment={"python": "3.11.2", "torch": "2.15.0", "numpy": "2.3.0", "processor": "x86_64", "cpus": 2},
        provenance={
            "started": "2025-03-04T12:00:00+00:00", "finished": "2025-03-04T12:03:28+00:00",
            "models": {m: {"fingerprint": "9ab4" * 16, "licence": "Apache-2.0", "source": "evalsuite"} for m in names},
            "datasets": {
                "fashion-mnist": {"fingerprint": "77aa" * 16, "licence": "MIT", "source": FashionMnist.source}
            },
        },
        slices=[*map(part, classes), changed(LATENT, 1.1), changed(STRONGER, 1.2)], measurements=cells, missing=absent,
        timings=[one for m in names for one in (timings(m, valid=m != "narrow"), *session(m))],
        gallery=gallery(folder, names), weights=[weights(m, in_int8=m == "narrow") for m in names],
    )  # fmt: skip
    return ReportInputs(
        record, folder, found, [passed(), undecided()], "evalsuite run suites/quickstart.yaml",
        tradeoffs=Tradeoffs(quality="fid", prices=["latency_p50", "peak_memory"]),
    )  # fmt: skip


def part(slice_id: str) -> Slice:
    """What a record notes of a class."""
    return Slice(id=slice_id, kind="attribute")


def changed(slice_id: str, level: float) -> Slice:
    """What a record notes of a changed condition."""
    curve = slice_id.partition("=")[0]
    return Slice(id=slice_id, kind=curve.partition(".")[0], varied=True, curve=curve, level=level)


def passed() -> Verdict:
    """A gate that passes."""
    return Verdict(
        gate="fid: student-4step against teacher, non_inferiority, margin 100%", outcome="pass",
        reason="student-4step is at most 100% above the teacher: +3.7 [3.2, 4.2], p = 0.0002 against a larger loss.",
        comparison=comparison("fid", "student-4step"), p_fail=0.99, p_pass=0.0002,
    )  # fmt: skip


def undecided() -> Verdict:
    """A gate that cannot be decided."""
    return Verdict(
        gate="class_accuracy: narrow against teacher, non_inferiority, margin 3%", outcome="inconclusive",
        reason="The loss is 2.8 points, too near the margin for 1000 samples; about 4000 would decide.",
        p_fail=0.21, p_pass=0.37,
    )  # fmt: skip


def large(folder: Path) -> ReportInputs:
    """Ten models, five targets, forty slices, and a picture of every model on every one of them."""
    names = ["teacher", *(f"student-with-a-long-name-{i}" for i in range(9))]
    targets = [f"target-{i}" for i in range(5)]
    slices = [*(f"class=kind-{i}" for i in range(20)), *(f"corruption.fog={i}" for i in range(20))]
    cells, found = [], []
    for target in targets:
        for model in names:
            for slice_id in ["all", *slices]:
                for name in ("fid", "class_accuracy", "kid", "latency_p50") if slice_id == "all" else ("kid", "recall"):
                    cells.append(measurement(name, model, target, slice_id))
                    if model != "teacher":
                        found.append(comparison(name, model, target, slice_id))
    shown = gallery(folder, names, columns=4)
    pictures = [
        picture.model_copy(update={"case_key": f"{picture.case_key.partition('@')[0]}@{target}/{slice_id}"})
        for target in targets
        for slice_id in ["all", *slices[20:]]
        for picture in shown
    ]
    timed = [one for m in names for one in (timings(m, targets[0]), *session(m, targets[0]))]
    record = RunRecord(
        suite=suite(names, targets), suite_hash="5c1e" * 16, environment={}, provenance={}, measurements=cells,
        slices=[*map(part, slices[:20]), *(changed(s, level) for level, s in enumerate(slices[20:]))],
        timings=timed, gallery=pictures,
    )  # fmt: skip
    return ReportInputs(record, folder, found, [], "", tradeoffs=Tradeoffs(quality="fid", prices=["latency_p50"]))
