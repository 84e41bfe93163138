"""The contract check: models that keep their contract, and models that break one claim each."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evalsuite import plugins
from evalsuite.errors import Failed, Skipped, Unavailable, UsageError
from evalsuite.executors.local import Local
from evalsuite.models.contract import Batch, Capabilities
from evalsuite.pipeline.conditions import Conditions
from evalsuite.pipeline.contract_check.bench import Bench, Finding, Place
from evalsuite.pipeline.contract_check.check import Subject, check_model
from evalsuite.pipeline.contract_check.claims import CHECKS
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.suite.schema import ModelSpec, TargetSpec
from tests.profiling.inline import Inline

SOURCE = '''
import contextlib, itertools, os, signal, time

import numpy as np

calls = itertools.count()


def drawn(seed, *more):
    return np.random.default_rng([int(seed), *map(int, more)]).integers(0, 200, (3, 4, 4), dtype=np.uint8)


def good(seeds, labels):
    return np.stack([drawn(seed, label) for seed, label in zip(seeds, labels)])


def of_prompts(seeds, prompts):
    return np.stack([drawn(seed, len(prompt)) for seed, prompt in zip(seeds, prompts)])


def of_seeds(seeds, labels):
    return np.stack([drawn(seed) for seed in seeds])


def of_labels(seeds, labels):
    return np.stack([drawn(label) for label in labels])


def raises(seeds, labels):
    return good(seeds, lables)


def a_list(seeds, labels):
    return list(good(seeds, labels))


def floats(seeds, labels):
    return good(seeds, labels) / np.float32(255)


def not_a_number(seeds, labels):
    images = floats(seeds, labels)
    images[0, 0, 0, :2] = np.nan
    return images


def channels_last(seeds, labels):
    return good(seeds, labels).transpose(0, 2, 3, 1)


def grey(seeds, labels):
    return good(seeds, labels)[:, 0]


def squeezed(seeds, labels):
    return good(seeds, labels).squeeze()


def squeezed_alone(seeds, labels):
    images = good(seeds, labels)
    return images[0] if len(images) == 1 else images


def only_four(seeds, labels):
    if len(seeds) != 4:
        raise ValueError("exported for a batch of 4")
    return good(seeds, labels)


def counting(seeds, labels):
    return good(seeds, labels) + np.uint8(next(calls))


def one_generator(seeds, labels):
    return np.random.default_rng(int(seeds[0])).integers(0, 200, (len(seeds), 3, 4, 4), dtype=np.uint8)


def ranked(seeds, labels):
    return good(seeds, labels) + np.arange(len(seeds), dtype=np.uint8)[:, None, None, None]


def normalised(seeds, labels):
    images = good(seeds, labels)
    return (images - images.min(axis=0) // 8).astype(np.uint8)


def rounding(seeds, labels):
    return good(seeds, labels) + np.uint8(len(seeds) % 2)


def of_the_process(seeds, labels):
    return good(seeds, labels) + np.uint8(os.getpid() % 199)


def exits(seeds, labels):
    print("about to leave", flush=True)
    os._exit(3)


def hangs(seeds, labels):
    time.sleep(3600)


def killed_alone(seeds, labels):
    if len(seeds) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return good(seeds, labels)


def hungry(seeds, labels):
    raise MemoryError


class Whole:
    """Keeps all claims: obeys the noise, marks its steps and flags."""

    def __init__(self, obeys=True, steps=3):
        self.obeys, self.steps = obeys, steps

    @contextlib.contextmanager
    def open(self, target):
        yield self

    def generate(self, batch, probe):
        for step in range(self.steps):
            with probe.stage("denoise", step):
                images = good(batch.seeds, batch.labels)
        with probe.stage("decode"):
            probe.flag("blank", np.zeros(len(images), bool))
            factor = batch.noise.scale if batch.noise.kind == "normal" or self.obeys == "scale" else 0.7
            return (images * (factor if self.obeys else 1)).astype(np.uint8)


class FromImages(Whole):
    def generate(self, batch, probe):
        return of_seeds(batch.seeds, None) + batch.images // 8


class BadFlag(Whole):
    def generate(self, batch, probe):
        probe.flag("blank", np.zeros(99, bool))


class DoesNotOpen(Whole):
    @contextlib.contextmanager
    def open(self, target):
        raise OSError("no weights here")
        yield
'''

CLASSES = Conditions(tuple("abc"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.py"
    path.write_text(SOURCE)
    return path


def subject(file: Path, name: str, conditions: Conditions = CLASSES, **settings: Any) -> Subject:
    spec = ModelSpec(role="student", adapter="python", settings={"callable": f"{file}:{name}", **settings})
    return Subject(name, spec, TargetSpec(device="cpu", settings={"threads": 1}), conditions)


def findings(subject: Subject, **options: Any) -> dict[str, Finding]:
    """By the name of the check; in this process, where nothing is meant to end it."""
    checks = check_model(subject, Inline(), allow_code=True, **options)
    return {check.name: check.finding for check in checks}


def verdicts(found: dict[str, Finding], verdict: str) -> list[str]:
    return [name for name, finding in found.items() if finding.verdict == verdict]


def test_a_function_keeps_its_contract(file: Path) -> None:
    found = findings(subject(file, "good"))
    assert list(found) == list(CHECKS)
    assert verdicts(found, "not applicable") == ["noise", "num_steps", "nfe", "stages"]
    assert len(verdicts(found, "ok")) == len(CHECKS) - 4


def test_a_class_keeps_all_of_it(file: Path) -> None:
    found = findings(subject(file, "Whole", noise=True, num_steps=3, nfe=6))
    assert verdicts(found, "ok") == list(CHECKS)
    assert found["stages"].found == "denoise, decode"
    assert found["nfe"].found == "6 in 3 steps"


def test_prompts(file: Path) -> None:
    prompts = Conditions(prompt_set=plugins.make("prompts", "challenge"))
    found = findings(subject(file, "of_prompts", prompts, condition="text"))
    assert not verdicts(found, "wrong")
    assert found["condition"].found == "4 different images of 4 conditions, from one seed"


def test_samples_that_start_from_images(file: Path) -> None:
    ids = np.arange(4, dtype=np.int64)
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 4, 4), dtype=np.uint8)
    spec = SubjectSpec("python", {"callable": f"{file}:FromImages"}, "cpu", {"threads": 1})
    with ExitStack() as stack:
        place = Place(Inline(), spec, stack, 1)
        bench = Bench(place, Capabilities(condition="image"), Batch(ids, ids + 9, images=images))
        for check in ("opens", "generates", "batch of one", "alone", "any order", "other seeds", "condition"):
            assert CHECKS[check](bench).verdict == "ok", check
        assert CHECKS["condition"](bench).found == "4 different images of 4 conditions, from one seed"


def test_a_bundled_model_needs_no_allow_code() -> None:
    spec = ModelSpec(role="student", adapter="zoo", settings={"name": "fashion-1step"})
    zoo = Subject("zoo", spec, TargetSpec(device="cpu", settings={"threads": 1}), Conditions(tuple("0123456789")))
    found = {check.name: check.finding for check in check_model(zoo, Inline())}
    assert verdicts(found, "ok") == list(CHECKS)


def test_a_folder_of_images(tmp_path: Path) -> None:
    for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    spec = ModelSpec(role="student", adapter="image_folder", settings={"path": str(tmp_path), "condition": "class"})
    folder = Subject("folder", spec, TargetSpec(device="cpu"), CLASSES)
    found = {check.name: check.finding for check in check_model(folder, Inline(), samples=50)}
    assert found["shape"].found == "[6, 1, 8, 8]"
    assert found["condition"] == Finding("not applicable", "its images are there already")
    assert not verdicts(found, "wrong")


@pytest.mark.parametrize(
    ("name", "check", "found", "expected"),
    [
        ("raises", "generates", r"NameError: name 'lables' is not defined \(models.py, line", "4 images"),
        ("a_list", "dtype", "a list", "a numpy array"),
        ("floats", "dtype", r"float32 \[4, 3, 4, 4\]", "uint8"),
        ("not_a_number", "finite", "2 of 192 values are NaN", "finite"),
        ("channels_last", "shape", r"\[4, 4, 4, 3\]", r"\[4, 1 or 3, H, W\]"),
        ("grey", "shape", r"\[4, 4, 4\]", r"\[4, 1 or 3, H, W\]"),
        ("squeezed_alone", "batch of one", r"uint8 \[3, 4, 4\]", r"uint8 \[1, 3, 4, 4\]"),
        ("only_four", "batch of one", "ValueError: exported for a batch of 4", r"uint8 \[1, 3, 4, 4\]"),
        ("counting", "same seed", "sample 0 differs by up to", "at most 1"),
        ("one_generator", "alone", "sample 3 differs by up to", "at most 1"),
        ("ranked", "any order", "differs by up to 3 of 255 levels", "at most 1"),
        ("normalised", "alone", "sample 3 differs by up to", "at most 1"),
        ("of_labels", "other seeds", "1 different images of 4 seeds", "as many as seeds"),
        ("BadFlag", "generates", r"found bool \[99\], expected bool \[4\]", "4 images"),
        ("DoesNotOpen", "opens", "no weights here", "a model that loads"),
        ("absent", "opens", "found no function or class 'absent'", "a model that loads"),
    ],
)
def test_a_broken_claim_is_said(file: Path, name: str, check: str, found: str, expected: str) -> None:
    finding = findings(subject(file, name))[check]
    assert finding.verdict == "wrong"
    assert re.search(found, finding.found), finding
    assert re.search(expected, finding.expected), finding


def test_what_hangs_on_a_broken_claim_is_not_applicable(file: Path) -> None:
    found = findings(subject(file, "DoesNotOpen"))
    assert verdicts(found, "wrong") == ["opens"]
    assert found["generates"].found == "the model is not open"
    found = findings(subject(file, "floats"))
    assert verdicts(found, "wrong") == ["dtype"]
    assert found["alone"].found == "there are no images to look at"


def test_the_right_advice(file: Path) -> None:
    assert "transpose(0, 3, 1, 2)" in findings(subject(file, "channels_last"))["shape"].advice
    assert "keep the axes" in findings(subject(file, "grey"))["shape"].advice
    assert "generator of its own" in findings(subject(file, "one_generator"))["alone"].advice


def test_a_model_that_leaves_its_classes_alone_is_warned_of(file: Path) -> None:
    found = findings(subject(file, "of_seeds"))
    assert verdicts(found, "warning") == ["condition"]
    assert found["condition"].found == "1 different images of 3 conditions, from one seed"
    assert not verdicts(findings(subject(file, "of_seeds", condition="none")), "warning")


@pytest.mark.parametrize(("tolerance", "verdict"), [(0, "wrong"), (0.02, "ok"), (1.5, "ok")])
def test_rounding_is_within_the_tolerance(file: Path, tolerance: float, verdict: str) -> None:
    finding = findings(subject(file, "rounding", tolerance=tolerance))["alone"]
    assert finding.verdict == verdict
    assert "1 of 255 levels" in finding.found


def test_an_unseeded_model_is_not_asked_for_the_same_image(file: Path) -> None:
    found = findings(subject(file, "counting", seeded=False))
    assert not verdicts(found, "wrong")
    assert found["same seed"].found == "seeded: false is declared"


def test_declarations_that_do_not_hold(file: Path) -> None:
    settings = {"noise": True, "options": {"obeys": False, "steps": 5}, "num_steps": 4, "nfe": 2}
    found = findings(subject(file, "Whole", **settings))
    assert verdicts(found, "wrong") == ["noise", "num_steps"]
    assert verdicts(found, "warning") == ["nfe"]
    assert found["noise"].found == "noise of half the strength changes 0 of 4 images"
    assert (found["num_steps"].found, found["num_steps"].advice) == ("5 steps in stages", "say num_steps: 5")


def test_the_kind_of_noise_must_be_obeyed_too(file: Path) -> None:
    found = findings(subject(file, "Whole", noise=True, options={"obeys": "scale"}))["noise"]
    assert (found.verdict, found.found) == ("wrong", "noise with heavy tails changes 0 of 4 images")
    assert "evalsuite.noise.initial_noise" in found.advice


def test_steps_that_are_marked_and_not_declared(file: Path) -> None:
    finding = findings(subject(file, "Whole"))["num_steps"]
    assert finding.verdict == "not applicable"
    assert "num_steps: 3" in finding.found


def test_what_hangs_on_the_process(file: Path) -> None:
    checks = check_model(subject(file, "of_the_process"), Local(), allow_code=True)
    found = {check.name: check.finding for check in checks}
    assert verdicts(found, "wrong") == ["another process"]


@pytest.mark.parametrize(
    ("name", "check", "message"),
    [
        ("exits", "generates", "ended with exit code 3 before it answered; its last output: about to leave"),
        ("killed_alone", "batch of one", "killed by SIGKILL, probably out of memory"),
        ("hangs", "generates", "gave no sign of life for 1 s"),
    ],
)
def test_a_process_that_dies_ends_the_check_and_no_more(file: Path, name: str, check: str, message: str) -> None:
    checks = check_model(subject(file, name), Local(), allow_code=True, timeout_s=1)
    seen = []
    with pytest.raises(Failed, match=f"{name}: while checking '{check}': {message}"):
        seen.extend(one.name for one in checks)
    assert seen == list(CHECKS)[: list(CHECKS).index(check)]


def test_too_little_memory_is_no_broken_contract(file: Path) -> None:
    with pytest.raises(Unavailable, match="not enough memory for 4 images at once; try fewer --samples"):
        findings(subject(file, "hungry"))


def test_code_runs_only_when_allowed(file: Path) -> None:
    file.write_text("raise SystemExit('it was run')")
    with pytest.raises(UsageError, match="read that code, then say --allow-code"):
        next(check_model(subject(file, "good"), Inline()))


def test_what_cannot_be_checked(file: Path) -> None:
    with pytest.raises(UsageError, match="expected 2 or more"):
        findings(subject(file, "good"), samples=1)
    with pytest.raises(Skipped, match="takes prompts, and this suite asks for classes"):
        findings(subject(file, "good", condition="text"))
    with pytest.raises(UsageError, match="nois: "):
        findings(subject(file, "good", nois=True))
    many = TargetSpec(device="cpu", settings={"threads": 10_000})
    model = subject(file, "good").model
    with pytest.raises(Unavailable, match="10000 threads"):
        findings(Subject("good", model, many, CLASSES))
