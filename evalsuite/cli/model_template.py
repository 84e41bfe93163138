"""What ``evalsuite init-model`` writes: a model that runs as it stands, and a suite around it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from string import Template
from typing import Literal, NamedTuple

Kind = Literal["none", "class", "text"]
"""What a sample of the template's model is asked for."""

Style = Literal["function", "class"]


class Wording(NamedTuple):
    """What a condition changes in a model's file, and in its suite's.

    Attributes:
        argument: of a function, beside the seeds.
        given: that argument in a sentence.
        follows: what an image follows from.
        place: an expression for what to draw, ``[B]`` whole numbers from 0 to 9, of ``seeds`` and the argument.
        imports: what that expression needs.
        task: the suite's lines about what is asked for.
        metrics: that need no weights beyond those which come with the package.
    """

    argument: str
    given: str
    follows: str
    place: str
    imports: str
    task: str
    metrics: str


REFERENCE = "reference: {dataset: fashion-mnist, split: test}"
WORDINGS: dict[Kind, Wording] = {
    "none": Wording(
        argument="nothing",
        given="None",
        follows="seeds[i]",
        place="seeds % 10",
        imports="",
        task=f"task: unconditional\n{REFERENCE}",
        metrics="kid, psnr",
    ),
    "class": Wording(
        argument="labels",
        given="int64 [B], classes from 0",
        follows="seeds[i] and labels[i]",
        place="labels % 10",
        imports="",
        task=f"task: class_conditional\n{REFERENCE}  # sample i is asked for class i mod 10",
        metrics="kid, psnr",
    ),
    "text": Wording(
        argument="prompts",
        given="a list of B texts",
        follows="seeds[i] and prompts[i]",
        place="[crc32(prompt.encode()) % 10 for prompt in prompts]",
        imports="from zlib import crc32\n",
        task="task: text_to_image\nprompts: challenge  # sample i is asked for prompt i mod P",
        metrics="psnr, ssim",
    ),
}

FUNCTION = Template('''\
"""A model for evalsuite: two functions, seeds and $argument in, images out. It runs as it stands; put yours in here.

    $check
    $run

What must stay true: image i follows from $follows alone, whatever else is asked for in the same call. So
all that is random in sample i comes from a generator of seeds[i].
"""

from itertools import pairwise
${imports}
import numpy as np

SHAPE = (1, 28, 28)  # channels (1 or 3), height, width

BARS = np.full((10, *SHAPE), -0.6)  # what the toy has learned to draw, in [-1, 1]: a bright bar in one of ten places
for i in range(10):
    BARS[i, :, :, 2 * i : 2 * i + 8] = 0.6


def teacher(seeds, $argument):
    """Images uint8 [B, C, H, W], black 0 and white 255; seeds: int64 [B]; $argument: $given."""
    return sample(seeds, $argument, num_steps=16)


def student(seeds, $argument):
    return sample(seeds, $argument, num_steps=2)


def sample(seeds, $argument, num_steps):
    """A deterministic diffusion sampler: from noise of standard deviation 80 down to none."""
    bars = BARS[$place]
    x = 80 * np.stack([np.random.default_rng(seed).standard_normal(SHAPE) for seed in seeds])
    for sigma, next_sigma in pairwise([*np.geomspace(80, 0.05, num_steps), 0]):
        clean = denoise(x, sigma, bars)
        x = clean + next_sigma / sigma * (x - clean)
    return np.rint((x + 1) * 127.5).clip(0, 255).astype(np.uint8)


def denoise(x, sigma, bars):
    """In the place of your network: exact for images that are a bar plus noise of standard deviation 0.25."""
    return bars + (x - bars) * 0.25**2 / (0.25**2 + sigma**2)
''')

CLASS = Template('''\
"""A model for evalsuite: a class that loads a network and generates. It runs as it stands; put yours in its place.

    $check
    $run

What must stay true: image i follows from $follows alone, whatever else is in the batch. So all that is
random in sample i comes from a generator of seeds[i], on the CPU so that it is the same on every device.
"""

from contextlib import contextmanager
from itertools import pairwise
${imports}
import numpy as np
import torch

from evalsuite.noise import initial_noise

SHAPE = (1, 28, 28)  # channels (1 or 3), height, width


class Denoiser(torch.nn.Module):
    """In the place of your network: the clean image, given a noisy one, the noise level and what to draw.

    The toy is exact for images that are a bright bar in one of ten places plus noise of standard deviation 0.25.
    """

    def __init__(self):
        super().__init__()
        bars = torch.full((10, *SHAPE), -0.6)  # images are in [-1, 1]
        for i in range(10):
            bars[i, :, :, 2 * i : 2 * i + 8] = 0.6
        self.bars = torch.nn.Parameter(bars)

    def forward(self, x, sigma, place):
        bars = self.bars[place]
        return bars + (x - bars) * 0.25**2 / (0.25**2 + sigma**2)


class Model:
    """What the suite names; its `options` are the arguments of `__init__`."""

    def __init__(self, num_steps=8):
        self.num_steps = num_steps

    @contextmanager
    def open(self, target):
        """Load the weights onto the suite's target; called once in each process."""
        network = Denoiser()
        # network.load_state_dict(safetensors.torch.load_file(pathlib.Path(__file__).with_name("my.safetensors")))
        yield Loaded(target.prepare(network), self.num_steps)  # on the device, in its dtype, in eval mode


class Loaded:
    def __init__(self, network, num_steps):
        self.network, self.num_steps = network, num_steps

    def generate(self, batch, probe):
        """Images uint8 [B, C, H, W], black 0 and white 255.

        batch.seeds is int64 [B]; $batch.
        batch.noise says what a latent slice asks for; `noise: true` in the suite says that it is obeyed.
        """
        seeds$unpack = batch.seeds$packed
        weight = next(self.network.parameters())
        place = torch.as_tensor($place, device=weight.device)
        x = 80 * initial_noise(seeds, SHAPE, batch.noise).to(weight.device, weight.dtype)
        sigmas = [*np.geomspace(80, 0.05, self.num_steps).tolist(), 0.0]
        for step, (sigma, next_sigma) in enumerate(pairwise(sigmas)):
            with probe.stage("denoise", step):
                clean = self.network(x, sigma, place)
                x = clean + next_sigma / sigma * (x - clean)
        with probe.stage("decode"):
            return ((x.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
''')

SUITE = Template("""\
# A suite around $file: its teacher, and the student that takes fewer steps. docs/suite.md explains every key.
#
#   $check
#   $run

suite: my-model
$task
sampling: {num_samples: 200, seed: 0}

# `version` is part of the cache key: count it up when the model changes in ways that its file does not show, such as
# new weights. Without it, samples are never taken from the cache. `num_steps` and `nfe` (network evaluations of one
# image) go into the report.
models:
  teacher:
    role: teacher
    adapter: python
    callable: $teacher
    version: "1"
    condition: $condition
    num_steps: 16
    nfe: 16$teacher_options
  student:
    role: student
    adapter: python
    callable: $student
    version: "1"
    condition: $condition
    num_steps: 2
    nfe: 2$student_options

targets:
  cpu: {device: cpu, batch_size: 64}
  # gpu: {device: cuda, dtype: bfloat16, batch_size: 256}

# `evalsuite list metrics` shows them all.
metrics: [$metrics, {latency: {scenario: single_stream}}]

# What must hold; `evalsuite run` exits with 1 where it does not.
# gates:
#   - {metric: psnr, candidate: student, test: limit, min: 30}
""")


def model_and_suite(file: Path, suite: Path, condition: Kind, style: Style) -> tuple[str, str]:
    """The text of the model's file and of the suite's, which names it."""
    wording = WORDINGS[condition]
    check, run = commands(suite)
    words = {**wording._asdict(), "condition": condition, "file": file.name, "check": check, "run": run}
    told = condition != "none"
    model = (FUNCTION if style == "function" else CLASS).substitute(
        words,
        batch=f"batch.{wording.argument} is {wording.given}" if told else "batch.labels and batch.prompts are None",
        unpack=f", {wording.argument}" if told else "",
        packed=f", batch.{wording.argument}" if told else "",
    )
    names = {role: role if style == "function" else "Model" for role in ("teacher", "student")}
    options = {"teacher": 16, "student": 2}
    return model, SUITE.substitute(
        words,
        **{role: json.dumps(f"{file.name}:{name}") for role, name in names.items()},
        **{
            f"{role}_options": "" if style == "function" else f"\n    noise: true\n    options: {{num_steps: {steps}}}"
            for role, steps in options.items()
        },
    )


def commands(suite: Path) -> tuple[str, str]:
    """What to type next: the check of the student, and the run."""
    return (
        shlex.join(["evalsuite", "check-model", str(suite), "student", "--allow-code"]),
        shlex.join(["evalsuite", "run", str(suite), "--allow-code"]),
    )
