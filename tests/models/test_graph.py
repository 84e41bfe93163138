"""Exported networks, whatever their format: what is declared, which input is what, and how a network is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from evalsuite.errors import Failed, Skipped
from evalsuite.models._graph.declaration import GraphSettings
from evalsuite.models._graph.inputs import Input, bind
from evalsuite.models._graph.model import GraphModel, place
from evalsuite.models.contract import NoProbe
from evalsuite.noise import initial_noise
from evalsuite.records import NoiseSpec
from evalsuite.targets.cpu import Cpu
from tests.models.graphs import batch

SHAPE = (1, 8, 8)
EDM = {"edm": {}}
DDIM = {"ddim": {}}
CLASS = {"condition": "class", "null_class": 10}


def settings(**more: Any) -> GraphSettings:
    return GraphSettings(path="net.bin", image_shape=SHAPE, **more)


def floats(name: str, *shape: int | None) -> Input:
    return Input(name, shape, torch.float32)


def whole(name: str, *shape: int | None) -> Input:
    return Input(name, shape, torch.int64)


NOISE = floats("input.1", None, *SHAPE)


class Function:
    """A network written in Python, which keeps what it was fed."""

    def __init__(self, inputs: Sequence[Input], compute: Callable[..., Any]) -> None:
        self.inputs, self.compute, self.device = inputs, compute, torch.device("cpu")
        self.fed: list[dict[str, Tensor]] = []

    def run(self, feeds: Mapping[str, Tensor]) -> Sequence[Any]:
        self.fed.append(dict(feeds))
        found = self.compute(**{name.partition(".")[0]: tensor for name, tensor in feeds.items()})
        return found if isinstance(found, list) else [found]


def generated(declared: GraphSettings, network: Function, count: int = 3, **more: Any) -> NDArray[np.uint8]:
    return GraphModel(declared, network).generate(batch(range(count), **more), NoProbe())


def pixels(values: Tensor) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = ((values + 1) * 127.5).round().clip(0, 255).to(torch.uint8).numpy()
    return found


def noise_of(count: int = 3) -> Tensor:
    return initial_noise(batch(range(count)).seeds, SHAPE)


class TestDeclaration:
    @pytest.mark.parametrize(
        ("more", "where", "message"),
        [
            ({"image_shape": (1, 3, 3)}, "image_shape", "found 9 values a sample, expected 16 or more"),
            ({"image_shape": (8, 8)}, "image_shape", "expected a list of channels, height and width"),
            ({"output_range": [0, 1, 2]}, "output_range", "expected a list of the value of black and of white"),
            ({"image_shape": (4, 8, 8)}, "image_shape", "1 or 3"),
            ({"noise_shape": [15]}, "noise_shape", "found 15 values a sample"),
            ({"noise_shape": [100], "sampler": EDM, "num_steps": 4}, "noise_shape", "that of image_shape"),
            ({"output_range": [1, -1]}, "output_range", "the value of black, then a larger one of white"),
            ({"null_class": 10}, "null_class", "none without condition: class"),
            ({"inputs": {"label": "y"}}, "inputs.label", "none without condition: class"),
            ({"inputs": {"time": "t"}}, "inputs.time", "none without a sampler"),
            ({"inputs": {"noise": "x", "label": "x"}, **CLASS}, "inputs", "a name for each"),
            ({"guidance_scale": 2.0, **CLASS}, "guidance_scale", "none without a sampler"),
            ({"guidance_scale": 2.0, "sampler": EDM, "num_steps": 4}, "guidance_scale", "none without null_class"),
            ({"sampler": EDM}, "num_steps", "found no number of steps"),
            ({"sampler": EDM, "num_steps": 4, "nfe": 4}, "nfe", "whose evaluations are counted"),
            ({"sampler": {"edm": {"sigmas": [80, 0]}}, "num_steps": 2}, "num_steps", "own grid has 1 steps"),
            ({"sampler": DDIM, "num_steps": 1001}, "num_steps", "at most 1000 with these time steps"),
            ({"sampler": {"edm": {}, "flow": {}}, "num_steps": 4}, "sampler", "found edm and flow, expected one of"),
            ({"sampler": {}, "num_steps": 4}, "sampler", "found an empty mapping, expected one of"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_settings_that_do_not_fit_together_are_refused(self, more: Any, where: str, message: str) -> None:
        with pytest.raises(ValidationError) as refused:
            GraphSettings(**{"path": "net.bin", "image_shape": SHAPE, **more})
        (error,) = refused.value.errors()
        assert message in error["msg"]
        assert where in f"{'.'.join(map(str, error['loc']))} {error['msg']}"

    @pytest.mark.parametrize(
        ("more", "nfe"),
        [
            ({}, 4),
            ({"guidance_scale": 1.0}, 4),
            ({"guidance_scale": 1.5}, 8),
            ({"guidance_scale": 1.5, "sampler": {"edm": {"solver": "heun"}}}, 14),
            ({"sampler": {"edm": {"sigmas": [80, 2, 0]}}, "num_steps": None}, 2),
        ],
    )
    def test_evaluations_are_counted(self, more: Any, nfe: int) -> None:
        able = settings(**{"sampler": EDM, "num_steps": 4, **CLASS, **more}).capabilities()
        assert able.nfe == nfe

    def test_what_a_slice_may_change(self) -> None:
        free = settings(sampler=EDM, num_steps=4, **CLASS).capabilities()
        assert free.settable == {"num_steps", "guidance_scale"}
        assert free.noise
        unguided = settings(sampler={"edm": {"sigmas": [80, 0]}}, condition="class").capabilities()
        assert (unguided.settable, unguided.num_steps) == (frozenset(), 1)

    def test_what_lies_inside_a_network_is_declared_for_the_report(self) -> None:
        able = settings(num_steps=4, nfe=8).capabilities()
        assert (able.num_steps, able.nfe, able.settable) == (4, 8, frozenset())

    def test_what_cannot_change_pixels_is_left_out(self) -> None:
        assert settings(nfe=3, licence="MIT").pixel_settings() == settings().pixel_settings()
        assert settings(output_range=(0, 1)).pixel_settings() != settings().pixel_settings()


class TestInputs:
    @pytest.mark.parametrize(
        ("more", "inputs", "expected"),
        [
            ({}, [NOISE], ["input.1"]),
            ({"noise_shape": [32], **CLASS}, [floats("a", None, 32), floats("b", None, 10)], ["a", "b"]),
            ({**CLASS}, [whole("a", None), NOISE], ["input.1", "a"]),
            ({**CLASS}, [whole("a", None, 1), NOISE], ["input.1", "a"]),
            ({"sampler": EDM, **CLASS}, [NOISE, floats("b", None), whole("a", None)], ["input.1", "b", "a"]),
            ({"sampler": EDM}, [NOISE, floats("b", None, 1, 1, 1)], ["input.1", "b"]),
            ({"sampler": EDM}, [NOISE, floats("b")], ["input.1", "b"]),
            ({"sampler": DDIM, **CLASS}, [NOISE, whole("t", None), whole("b", None)], ["input.1", "t", "b"]),
            ({"sampler": DDIM, **CLASS}, [NOISE, whole("a", None), whole("y", None)], ["input.1", "a", "y"]),
            ({"sampler": DDIM, **CLASS}, [NOISE, floats("t", None), whole("y", None)], ["input.1", "t", "y"]),
            ({"sampler": DDIM, **CLASS}, [NOISE, whole("a"), whole("b", None)], ["input.1", "a", "b"]),
            (
                {"sampler": DDIM, "inputs": {"time": "b"}, **CLASS},
                [NOISE, whole("a", None), whole("b", None)],
                ["input.1", "b", "a"],
            ),
        ],
    )
    def test_are_told_by_type_shape_and_name(self, more: Any, inputs: list[Input], expected: list[str]) -> None:
        steps = {"num_steps": 4} if "sampler" in more else {}
        found = bind(settings(**more, **steps), inputs)
        assert [found[role].name for role in ("noise", "time", "label") if role in found] == expected

    @pytest.mark.parametrize(
        ("more", "inputs", "message"),
        [
            ({}, [floats("x", None, 1, 9, 9)], r"found inputs x \(float32 \[batch, 1, 9, 9\]\), expected noise; none"),
            ({}, [NOISE, floats("cond", None, 4)], r"nothing feeds cond"),
            ({**CLASS}, [NOISE], "none can take the label: whole numbers"),
            ({"sampler": EDM}, [NOISE, whole("t", None)], "none can take the time: floating point"),
            (
                {"sampler": DDIM, **CLASS},
                [NOISE, whole("a", None), whole("b", None)],
                r"time could be a or b: say which, as in inputs: \{time: a\}",
            ),
            (
                {"inputs": {"noise": "z"}},
                [NOISE],
                r"found no input 'z' for inputs.noise; there are: input\.1 \(float32",
            ),
            (
                {"inputs": {"noise": "y"}},
                [NOISE, whole("y", None)],
                r"its input y \(int64 \[batch\]\) cannot take the noise, expected floating point \[batch, 1, 8, 8\]",
            ),
            ({}, [], "found inputs none, expected noise"),
        ],
    )
    def test_that_cannot_be_told_are_refused(self, more: Any, inputs: list[Input], message: str) -> None:
        steps = {"num_steps": 4} if "sampler" in more else {}
        with pytest.raises(Failed, match=message):
            bind(settings(**more, **steps), inputs)


class TestGeneration:
    def test_noise_is_drawn_as_in_the_zoo_and_obeys_its_scale(self) -> None:
        network = Function([NOISE], lambda input: input)
        assert np.array_equal(generated(settings(), network), pixels(noise_of()))
        scaled = generated(settings(), network, noise=NoiseSpec(0.5))
        assert np.array_equal(scaled, pixels(noise_of() * 0.5))

    @pytest.mark.parametrize(
        ("span", "value", "expected"),
        [((-1, 1), 0.0, 128), ((0, 1), 0.0, 0), ((0, 1), 1.0, 255), ((0, 255), 77.4, 77), ((-1, 1), 3.0, 255)],
    )
    def test_values_become_pixels(self, span: tuple[float, float], value: float, expected: int) -> None:
        network = Function([NOISE], lambda input: torch.full_like(input, value))
        assert generated(settings(output_range=span), network)[0, 0, 0, 0] == expected

    def test_pixels_stay_pixels(self) -> None:
        network = Function([NOISE], lambda input: torch.full_like(input, 77).to(torch.uint8))
        assert generated(settings(), network)[0, 0, 0, 0] == 77

    @pytest.mark.parametrize("count", [1, 4, 5])
    def test_a_fixed_batch_size_is_filled_up(self, count: int) -> None:
        fixed = floats("x", 4, *SHAPE)
        network = Function([fixed, whole("y", 4)], lambda x, y: x / 2 + y[:, None, None, None] / 10)
        images = generated(settings(**CLASS), network, count)
        expected = noise_of(count) / 2 + torch.arange(count)[:, None, None, None] / 10
        assert np.array_equal(images, pixels(expected))
        assert {len(feeds["x"]) for feeds in network.fed} == {4}

    @pytest.mark.parametrize("shape", [(), (1,), (None,), (None, 1, 1, 1)])
    def test_the_time_has_the_shape_that_the_network_takes(self, shape: tuple[int | None, ...]) -> None:
        network = Function([NOISE, floats("sigma", *shape)], lambda input, sigma: input * 0 + sigma.max() / 80)
        generated(settings(sampler={"edm": {"sigmas": [80, 0]}}), network)
        (feeds,) = network.fed
        assert tuple(feeds["sigma"].shape) == tuple(3 if size is None else size for size in shape)
        assert torch.equal(feeds["sigma"], torch.full_like(feeds["sigma"], 80))

    def test_whole_time_steps(self) -> None:
        network = Function([NOISE, whole("t", None)], lambda input, t: input * 0)
        generated(settings(sampler=DDIM, num_steps=2), network)
        assert [feeds["t"].tolist() for feeds in network.fed] == [[500] * 3, [0] * 3]

    def test_one_hot_labels(self) -> None:
        network = Function([NOISE, floats("y", None, 4)], lambda input, y: input)
        generated(settings(condition="class", null_class=4), network, 6, classes=3)
        (feeds,) = network.fed
        assert feeds["y"].argmax(dim=1).tolist() == [0, 1, 2, 0, 1, 2]
        generated(settings(condition="class", null_class=4), network, 2, classes=0)
        assert not network.fed[1]["y"].any()

    def test_a_label_without_a_place_is_refused(self) -> None:
        network = Function([NOISE, floats("y", None, 4)], lambda input, y: input)
        with pytest.raises(Failed, match=r"found label 4, expected at most 3 for its input y"):
            generated(settings(condition="class"), network, 6, classes=6)

    def test_guidance_mixes_with_and_without_the_label(self) -> None:
        network = Function(
            [NOISE, floats("sigma", None), whole("y", None)],
            lambda input, sigma, y: input * 0 + y[:, None, None, None] / 10,
        )
        declared = settings(sampler={"edm": {"sigmas": [80, 0]}}, guidance_scale=1.5, condition="class", null_class=5)
        images = generated(declared, network)
        expected = 0.5 + 1.5 * (torch.arange(3) / 10 - 0.5)
        assert np.array_equal(images[:, 0, 0, 0], pixels(expected))
        assert len(network.fed) == 1
        assert network.fed[0]["y"].tolist() == [0, 1, 2, 5, 5, 5]

    def test_without_classes_the_null_class_is_asked_for(self) -> None:
        network = Function([NOISE, whole("y", None)], lambda input, y: input)
        generated(settings(**CLASS), network, classes=0)
        assert network.fed[0]["y"].tolist() == [10] * 3
        with pytest.raises(Failed, match="say which label stands for none, as null_class"):
            generated(settings(condition="class"), network, classes=0)

    def test_learned_variances_are_left_aside(self) -> None:
        network = Function([NOISE, floats("t", None)], lambda input, t: torch.cat([input, input * 1e9], dim=1))
        plain = Function([NOISE, floats("t", None)], lambda input, t: input)
        declared = [settings(sampler={"ddim": {"learned_variance": flag}}, num_steps=3) for flag in (True, False)]
        assert np.array_equal(generated(declared[0], network), generated(declared[1], plain))

    def test_half_precision_is_fed_where_the_network_takes_it(self) -> None:
        half = Input("x", (None, *SHAPE), torch.float16)
        network = Function([half, floats("sigma", None)], lambda x, sigma: x / 100)
        generated(settings(sampler=EDM, num_steps=3), network)
        assert {feeds["x"].dtype for feeds in network.fed} == {torch.float16}

    def test_every_step_is_a_stage(self) -> None:
        seen: list[tuple[str, int | None]] = []

        class Probe(NoProbe):
            @contextmanager
            def stage(self, name: str, step: int | None = None) -> Any:
                seen.append((name, step))
                yield

        denoiser = Function([NOISE, floats("sigma", None)], lambda input, sigma: input * 0)
        GraphModel(settings(sampler=EDM, num_steps=2), denoiser).generate(batch([0]), Probe())
        whole_network = Function([NOISE], lambda input: input)
        GraphModel(settings(), whole_network).generate(batch([0]), Probe())
        assert seen == [("denoise", 0), ("denoise", 1), ("denoise", None)]

    @pytest.mark.parametrize(
        ("compute", "message"),
        [
            (
                lambda input: input[:, :, :4],
                r"its output 0 is float32 \[3, 1, 4, 8\], expected floating point or uint8",
            ),
            (lambda input: input[0], r"its output 0 is float32 \[1, 8, 8\]"),
            (lambda input: input.long(), r"its output 0 is int64 \[3, 1, 8, 8\]"),
            (lambda input: ["text"], "its output 0 is str"),
            (lambda input: [], "found 0 outputs, and output is 0, counted from 0"),
            (lambda input: input * float("nan"), r"values that are not finite \(NaN or infinity\)"),
            (lambda input: 1 / 0, "running it failed: ZeroDivisionError: division by zero"),
        ],
    )
    def test_what_is_no_image_is_refused(self, compute: Any, message: str) -> None:
        with pytest.raises(Failed, match=message):
            generated(settings(), Function([NOISE], compute))

    def test_memory_that_runs_out_is_left_to_the_engine(self) -> None:
        def too_much(input: Tensor) -> Tensor:
            raise MemoryError

        with pytest.raises(MemoryError):
            generated(settings(), Function([NOISE], too_much))


def test_a_target_of_another_dtype_is_skipped() -> None:
    assert place(settings(), Cpu(), "float32") == place(settings(), Cpu(), None) == torch.device("cpu")
    with pytest.raises(Skipped, match=r"its weights are float16, and the target computes in float32"):
        place(settings(), Cpu(), "float16")
