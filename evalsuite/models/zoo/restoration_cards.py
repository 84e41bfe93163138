"""Model cards of the restoration models: facts of the recipe, and numbers that ``evaluate_restoration`` measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalsuite.models.zoo.cards import Facts, head, with_interval

COMMAND = "python -m evalsuite.models.zoo.evaluate_restoration"

TASK = "It restores what 4x4 average pooling has taken from Fashion-MNIST, 7 to 28 px"
DISTILLATION = (
    "Trajectory distillation: 10,000 trajectories of the teacher (16 steps of DPM-Solver++(2M)), each from an image of "
    "the train split, are stored, and the student learns to jump between their states with the target of progressive "
    "distillation (Salimans and Ho 2022, arXiv 2202.00512). It starts from the teacher's weights. Charbonnier loss, "
    "AdamW, cosine schedule, moving average of the weights, bfloat16 autocast; seed 0."
)
STUDENT_LIMITS = "It samples on the one grid it was trained for, and takes no other number of steps."

FACTS = {
    "restore-teacher": Facts(
        "Conditional diffusion teacher for 4x super-resolution of Fashion-MNIST",
        f"{TASK}: the UNet of `fashion-teacher` with the enlarged input as further channels and without labels, under "
        "EDM preconditioning (Karras et al. 2022, arXiv 2206.00364), after SR3 (Saharia et al. 2021, arXiv "
        "2104.07636); sampled by DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095), by default in 16 steps.",
        "It starts from the weights of `fashion-teacher` with its null label. Denoising score matching for 2,000 steps "
        "of 128 images, a quarter of the noise levels log-uniform in [3, 80], AdamW at 5e-4 with a cosine schedule, "
        "moving average of the weights (0.998), bfloat16 autocast; seed 0.",
        "python -m evalsuite.models.zoo.train_restoration teacher --data-dir DIR --work-dir WORK",
        "15 minutes of one core",
        "It invents detail: what it draws is likely, not true.",
    ),
    "restore-4step": Facts(
        "Four-step student of restore-teacher",
        f"{TASK}, by the teacher's network in four evaluations.",
        f"{DISTILLATION} 500 steps of 128 images.",
        "python -m evalsuite.models.zoo.train student restore-4step --work-dir WORK",
        "5 minutes of one core",
        f"{STUDENT_LIMITS} The undistilled teacher at four steps has the same Fréchet distance; what the student adds "
        "is diversity.",
    ),
    "restore-1step": Facts(
        "One-step student of restore-teacher",
        f"{TASK}, by the teacher's network in one evaluation.",
        f"{DISTILLATION} 1,000 steps of 128 images. With one step this is the endpoint regression of Luhman and Luhman "
        "2021 (arXiv 2101.02388).",
        "python -m evalsuite.models.zoo.train student restore-1step --work-dir WORK",
        "10 minutes of one core",
        f"{STUDENT_LIMITS} Regression blurs: look at its Fréchet distance and at its diversity.",
    ),
    "restore-cnn": Facts(
        "Regression baseline for the same task",
        f"{TASK}: a plain network of four residual blocks (0.17 million parameters; after EDSR, Lim et al. 2017, arXiv "
        "1707.02921) that gets no noise and gives one answer.",
        "Squared error for 3,000 steps of 128 images, AdamW at 1e-3 with a cosine schedule, moving average of the "
        "weights (0.998); seed 0.",
        "python -m evalsuite.models.zoo.train_restoration cnn --data-dir DIR --work-dir WORK",
        "8 minutes of one core",
        "It returns the mean of all images that the input may have come from, which is blurred.",
    ),
}


def write(numbers: Mapping[str, Any], folder: Path) -> None:
    """Write ``<name>.md`` for every model, from the numbers of ``restoration.json``."""
    for name, facts in FACTS.items():
        (folder / f"{name}.md").write_text(card(name, facts, numbers), "utf-8")


def card(name: str, facts: Facts, numbers: Mapping[str, Any]) -> str:
    """The card of one model, as Markdown."""
    return f"""{head(name, facts)}
## Numbers

Over the first {numbers["num_inputs"]} images of the test split, against those images (PSNR, SSIM) and against the whole
split (Fréchet distance in the features of `fashion-cnn`), on the shipped float16 weights. In brackets: 95 % intervals.
Class accuracy is how often `fashion-cnn` finds the class of the image that the input was made from.

{table(name, numbers)}

**PSNR reverses the ranking.** One step of an undistilled diffusion model returns the posterior mean, the average of all
images that the input may have come from. No single image has a smaller squared error, and yet it is blurred; a
regression returns it too. PSNR and SSIM say whether a model beats bicubic enlargement, and Fréchet distance and class
accuracy how good its images are: that is where a one-step student has to beat the undistilled teacher at one step.
Input by input, `restore-1step` keeps the class more often, by {with_interval(numbers["accuracy_gain"], 3)}.

Diversity is the mean squared difference of two samples from one input (`posterior_diversity`; pixels in [0, 1], in
thousandths; {numbers["num_seeds"]} seeds for each of {numbers["num_diverse"]} inputs); error is that of a sample and
the truth. Draws from the posterior have as much of one as of the other; a model that has collapsed has error alone.

Made by `{COMMAND}`.
"""


def table(name: str, numbers: Mapping[str, Any]) -> str:
    """This model and all others, a row each."""
    names = [name, *(other for other in numbers["models"] if other != name)]
    rows = [row(other, numbers["models"][other]) for other in names]
    columns = ["", "PSNR, dB", "SSIM", "FID", "class accuracy", "diversity", "error", "evaluations"]
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def row(label: str, values: Mapping[str, Any]) -> str:
    digits = {"psnr": 2, "ssim": 3, "fid": 2, "class_accuracy": 3, "diversity": 2, "error": 2}
    cells = [with_interval(values[key], count) if key in values else "" for key, count in digits.items()]
    return f"| {label} | {' | '.join(cells)} | {values.get('nfe', '')} |"
