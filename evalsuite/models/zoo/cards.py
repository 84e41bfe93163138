"""Model cards of the class-conditional zoo: facts of the recipe, and the numbers that ``evaluate`` measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HARDWARE = "an AMD EPYC processor (AVX-512 with bfloat16), no GPU"
BATCH_SIZE = 100
COMMAND = "python -m evalsuite.models.zoo.evaluate --data-dir DIR"


@dataclass(frozen=True)
class Facts:
    """What a card says that no measurement tells.

    Attributes:
        title: one line.
        what: what the model is.
        recipe: how it was made, with the paper.
        command: the command that makes it again.
        time: training time and cores of ``HARDWARE``.
        limits: what it is not good for.
    """

    title: str
    what: str
    recipe: str
    command: str
    time: str
    limits: str


TRAJECTORY_DISTILLATION = (
    "Trajectory distillation: 12,000 trajectories of the guided teacher (16 steps of DPM-Solver++(2M), guidance 1.5) "
    "are stored, and the student learns to jump between their states with the target of progressive distillation "
    "(Salimans and Ho 2022, arXiv 2202.00512); guidance goes into the weights (Meng et al. 2023, arXiv 2210.03142). "
    "Charbonnier loss, AdamW, cosine schedule, moving average of the weights, bfloat16 autocast; seed 0."
)
STUDENT_LIMITS = "It samples on the one grid it was trained for and takes neither another number of steps nor guidance."

FACTS = {
    "fashion-teacher": Facts(
        "Class-conditional diffusion teacher for Fashion-MNIST",
        "A UNet of 1.87 million parameters (pixel-unshuffle to 14x14, 64 and 128 channels, one attention level) under "
        "EDM preconditioning (Karras et al. 2022, arXiv 2206.00364), sampled by DPM-Solver++(2M) (Lu et al. 2022, "
        "arXiv 2211.01095) with classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598), by default 1.5.",
        "Denoising score matching for 10,000 steps of 128 images, label dropout 0.1, AdamW at 1e-3 with a cosine "
        "schedule, moving average of the weights (0.9995), bfloat16 autocast; seed 0. The first 4,500 steps followed "
        "the cosine of a 12,000-step schedule; a repetition with the command below follows that of 10,000 throughout.",
        "python -m evalsuite.models.zoo.train teacher --data-dir DIR --work-dir WORK",
        "68 minutes on two busy cores",
        "Guidance narrows diversity: read class accuracy, which is higher than that of real images, beside recall.",
    ),
    "fashion-4step": Facts(
        "Four-step student of fashion-teacher",
        "The teacher's network, with one evaluation a step and four steps.",
        TRAJECTORY_DISTILLATION,
        "python -m evalsuite.models.zoo.train student fashion-4step --work-dir WORK",
        "12 minutes on one core",
        STUDENT_LIMITS,
    ),
    "fashion-2step": Facts(
        "Two-step student of fashion-teacher",
        "The teacher's network, with one evaluation a step and two steps.",
        TRAJECTORY_DISTILLATION,
        "python -m evalsuite.models.zoo.train student fashion-2step --work-dir WORK",
        "8 minutes on one core",
        STUDENT_LIMITS,
    ),
    "fashion-1step": Facts(
        "One-step student of fashion-teacher",
        "The teacher's network, evaluated once.",
        TRAJECTORY_DISTILLATION + " With one step this is the endpoint regression of Luhman and Luhman 2021 (arXiv "
        "2101.02388).",
        "python -m evalsuite.models.zoo.train student fashion-1step --work-dir WORK",
        "17 minutes on one core",
        STUDENT_LIMITS + " Regression blurs fine texture; class accuracy does not show it, Fréchet distance does.",
    ),
    "fashion-narrow": Facts(
        "Half-width student of fashion-teacher",
        "The same UNet with 32 and 64 channels (0.47 million parameters), four steps of one evaluation.",
        TRAJECTORY_DISTILLATION + " It starts from random weights.",
        "python -m evalsuite.models.zoo.train student fashion-narrow --work-dir WORK",
        "50 minutes on one core",
        STUDENT_LIMITS,
    ),
}


def write(numbers: Mapping[str, Any], folder: Path) -> None:
    """Write ``<name>.md`` for every model, from the numbers of ``numbers.json``."""
    for name, facts in FACTS.items():
        (folder / f"{name}.md").write_text(card(name, facts, numbers), "utf-8")


def card(name: str, facts: Facts, numbers: Mapping[str, Any]) -> str:
    """The card of one model, as Markdown."""
    own = numbers["models"][name]
    return f"""{head(name, facts)}
## Numbers

Over {numbers["num_samples"]} samples against the test split, in the features of `fashion-cnn` (which classifies
{numbers["classifier_accuracy"]:.1%} of the test split rightly), on the shipped float16 weights. In brackets: 95 %
intervals. Fréchet distances in other features are not comparable. Images were timed in batches of {BATCH_SIZE} on
{numbers["threads"]} of its cores.

{quality_table(name, numbers)}

Distance to the nearest training image (Euclidean, pixels in [-1, 1]; percentiles over 1000 samples): a model that
copies its training set lies nearer to it than held-out images do.

| | 1 % | 10 % | 50 % | 90 % |
|---|---|---|---|---|
| {name} | {distances(own["nearest_training_image"])} |
| held-out test images | {distances(numbers["held_out"])} |

Made by `{COMMAND}`.
"""


def head(name: str, facts: Facts) -> str:
    """The part of a card that needs no measurement."""
    return f"""# {name}

{facts.title}. {facts.what}

| | |
|---|---|
| Data | Fashion-MNIST, train split, 60,000 images (Zalando SE, MIT licence) |
| Recipe | {facts.recipe} |
| Command | `{facts.command}` |
| Time and hardware | about {facts.time} of {HARDWARE} |
| Licence | Apache-2.0 |
| Limits | {facts.limits} |
"""


def quality_table(name: str, numbers: Mapping[str, Any]) -> str:
    """This model, its teacher at the same number of steps, and the control, a row each."""
    names = [name, *(other for other in numbers["models"] if other != name)]
    rows = [quality_row(other, numbers["models"][other]) for other in names]
    rows.append(quality_row("control: real test images with noise 0.1", numbers["control"]))
    head = "| | FID | FID, debiased | class accuracy | recall | evaluations | ms per image |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def quality_row(label: str, values: Mapping[str, Any]) -> str:
    fid, debiased, recall = (with_interval(values[key], 2) for key in ("fid", "fid_debiased", "recall"))
    speed = f"{values['nfe']} | {1000 * values['seconds_per_image']:.1f}" if "nfe" in values else " | "
    return f"| {label} | {fid} | {debiased} | {with_interval(values['class_accuracy'], 3)} | {recall} | {speed} |"


def with_interval(triple: list[float], digits: int) -> str:
    value, low, high = (f"{number:.{digits}f}" for number in triple)
    return f"{value} ({low} to {high})"


def distances(quantiles: Mapping[str, float]) -> str:
    return " | ".join(f"{quantiles[f'p{q}']:.2f}" for q in (1, 10, 50, 90))
