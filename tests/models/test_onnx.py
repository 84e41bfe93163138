"""ONNX files in ONNX Runtime: the zoo's images from its exports, and what is said of files that will not do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from evalsuite.errors import Failed, Skipped, Unavailable
from evalsuite.models.contract import NoProbe
from evalsuite.models.onnx import Onnx, providers
from evalsuite.models.zoo import Zoo
from evalsuite.models.zoo.sampler import SIGMA_MIN, karras_sigmas
from evalsuite.plugins import find
from evalsuite.records import NoiseSpec
from evalsuite.targets.cpu import Cpu
from tests.conftest import ROOT
from tests.models.graphs import (
    ONE_STEP,
    ONE_THREAD,
    SHAPE,
    TEACHER,
    Halved,
    OneStep,
    Teacher,
    as_onnx,
    batch,
    floats_of,
    images_of,
)

IMAGE = ["batch", 1, 8, 8]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    as_onnx(OneStep(), ONE_STEP, folder / "one-step.onnx")
    as_onnx(Teacher(), TEACHER, folder / "teacher.onnx")
    return folder


def one_step(exports: Path, **more) -> Onnx:
    return Onnx(path=exports / "one-step.onnx", image_shape=SHAPE, condition="class", null_class=10, **more)


def teacher(exports: Path, **more) -> Onnx:
    settings = {"num_steps": 4, "sampler": {"edm": {"solver": "dpm_solver_2m", "sigma_min": SIGMA_MIN}}, **more}
    return Onnx(path=exports / "teacher.onnx", image_shape=SHAPE, condition="class", null_class=10, **settings)


def levels_apart(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other).max())


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A network that halves its noise, built of operators: ``image = noise * weight``."""
    return saved(halving(), tmp_path / "small.onnx")


def halving(opset: int = 17, kind: int = TensorProto.FLOAT, image=IMAGE) -> onnx.ModelProto:
    half = helper.make_tensor("weight", kind, [1], [0.5])
    graph = helper.make_graph(
        [helper.make_node("Mul", ["noise", "weight"], ["image"])],
        "halving",
        [helper.make_tensor_value_info("noise", kind, IMAGE)],
        [helper.make_tensor_value_info("image", kind, image)],
        [half],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, producer_name="tests")


def saved(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def small_model(path: Path) -> Onnx:
    return Onnx(path=path, image_shape=(1, 8, 8))


class TestImages:
    def test_an_exported_student_makes_the_students_images(self, exports: Path) -> None:
        expected = images_of(Zoo(name="fashion-1step"), batch(range(9)))
        assert levels_apart(images_of(one_step(exports), batch(range(9))), expected) <= 1

    @pytest.mark.parametrize("scale", [1.0, 1.5])
    def test_an_exported_teacher_makes_the_teachers_images(self, exports: Path, scale: float) -> None:
        expected = images_of(Zoo(name="fashion-teacher", num_steps=4, guidance_scale=scale), batch(range(9)))
        found = images_of(teacher(exports, guidance_scale=scale), batch(range(9)))
        assert levels_apart(found, expected) <= 1

    def test_euler_is_the_zoos_jump(self, exports: Path) -> None:
        wanted, sigmas = batch(range(4)), karras_sigmas(3)
        with Zoo(name="fashion-teacher").open(ONE_THREAD) as model, torch.inference_mode():
            model.sampler, model.sigmas, model.guidance_scale = "jump", sigmas, 1.0
            expected = model.generate(wanted, NoProbe())
        found = images_of(teacher(exports, num_steps=None, sampler={"edm": {"sigmas": sigmas}}), wanted)
        assert levels_apart(found, expected) <= 1

    def test_noise_is_scaled_as_in_the_zoo(self, exports: Path) -> None:
        strong = batch(range(4), NoiseSpec(1.1))
        expected = images_of(Zoo(name="fashion-1step"), strong)
        assert levels_apart(images_of(one_step(exports), strong), expected) <= 1
        assert levels_apart(images_of(one_step(exports), batch(range(4))), expected) > 1

    def test_an_image_is_the_same_alone_and_in_a_batch(self, exports: Path) -> None:
        model = teacher(exports, guidance_scale=1.5)
        whole = floats_of(model, batch(range(7)))
        parts = floats_of(model, batch([0]), batch([1, 2, 3]), batch([4, 5, 6]))
        assert 127.5 * (whole - parts).abs().max() <= model.capabilities().tolerance

    def test_a_fixed_batch_size(self, exports: Path, tmp_path: Path) -> None:
        path = as_onnx(Halved(), (torch.zeros(2, 1, 8, 8),), tmp_path / "fixed.onnx", free_batch=False)
        free = as_onnx(Halved(), (torch.zeros(2, 1, 8, 8),), tmp_path / "free.onnx")
        assert np.array_equal(
            images_of(small_model(path), batch(range(3))), images_of(small_model(free), batch(range(3)))
        )


class TestDescription:
    def test_is_found_and_runs_no_code(self) -> None:
        assert find("models", "onnx") is Onnx
        assert not Onnx.runs_user_code

    def test_fingerprint_covers_weights_and_settings(self, small: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy.onnx"
        copy.write_bytes(small.read_bytes())
        assert small_model(small).fingerprint() == small_model(copy).fingerprint()
        assert Onnx(path=small, image_shape=(1, 8, 8), licence="MIT").fingerprint() == small_model(small).fingerprint()
        ranged = Onnx(path=small, image_shape=(1, 8, 8), output_range=(0, 1)).fingerprint()
        other = halving()
        other.graph.initializer[0].float_data[0] = 0.25
        assert len({small_model(small).fingerprint(), ranged, small_model(saved(other, copy)).fingerprint()}) == 3

    def test_fingerprint_covers_weights_in_other_files(self, tmp_path: Path) -> None:
        path, beside = external(tmp_path)
        before = small_model(path).fingerprint()
        beside.write_bytes(np.array([0.25], np.float32).tobytes())
        assert small_model(path).fingerprint() != before

    def test_provenance(self, small: Path) -> None:
        found = Onnx(path=small, image_shape=(1, 8, 8), licence="MIT").provenance()
        assert found == {
            "source": "small.onnx",
            "sha256": found["sha256"],
            "licence": "MIT",
            "size_bytes": small.stat().st_size,
            "opset": 17,
            "producer": "tests",
            "onnxruntime": onnxruntime.__version__,
        }

    def test_a_description_needs_no_torch(self, small: Path) -> None:
        program = (
            "import sys; from evalsuite.models.onnx import Onnx; "
            f"model = Onnx(path={str(small)!r}, image_shape=(1, 8, 8)); "
            "model.fingerprint(), model.capabilities(), model.provenance(); print('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
        assert done.stdout.strip() == "False", done.stderr


def external(folder: Path, place: str = "small.data") -> tuple[Path, Path]:
    """The small network with its weight in another file."""
    model = halving()
    weight = model.graph.initializer[0]
    beside = folder / "small.data"
    beside.write_bytes(np.array([0.5], np.float32).tobytes())
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=place)
    return saved(model, folder / "small.onnx"), beside


class TestFiles:
    def test_weights_in_another_file(self, tmp_path: Path, small: Path) -> None:
        expected = images_of(small_model(small), batch(range(2)))
        path, beside = external(tmp_path)
        assert np.array_equal(images_of(small_model(path), batch(range(2))), expected)
        assert small_model(path).provenance()["size_bytes"] == path.stat().st_size + beside.stat().st_size

    def test_weights_that_are_missing(self, tmp_path: Path) -> None:
        path, beside = external(tmp_path)
        beside.unlink()
        with pytest.raises(Unavailable, match=r"its weights lie in .*small\.data, and there is no such file; copy it"):
            small_model(path).fingerprint()

    @pytest.mark.parametrize("place", ["../small.data", "/etc/hostname", "a/../../b", "C:\\weights", ""])
    def test_weights_elsewhere_are_refused(self, tmp_path: Path, place: str) -> None:
        path, _ = external(tmp_path, place)
        with pytest.raises(Failed, match=r"expected a file in the model's folder, or below it"):
            small_model(path).fingerprint()

    def test_weights_of_a_branch_are_found_too(self, tmp_path: Path) -> None:
        """A tensor of a nested graph can lie in another file as well."""
        weight = TensorProto(name="inner", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
        weight.external_data.add(key="location", value="inner.data")
        constant = helper.make_node("Constant", [], ["kept"], value=weight)
        branch = helper.make_graph([constant], "then", [], [helper.make_tensor_value_info("kept", 1, [1])])
        model = halving()
        model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=branch, else_branch=branch))
        with pytest.raises(Unavailable, match=r"inner\.data"):
            small_model(saved(model, tmp_path / "nested.onnx")).fingerprint()

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match=r"none\.onnx: cannot be read: No such file"):
            small_model(tmp_path / "none.onnx").fingerprint()

    @pytest.mark.parametrize("content", [b"", b"This is a text and no network.", b"\x89PNG\r\n\x1a\n"])
    def test_no_onnx_file(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "net.onnx"
        path.write_bytes(content)
        with pytest.raises(Failed, match="expected an ONNX model; is the file cut short"):
            small_model(path).fingerprint()

    def test_a_file_that_is_cut_short(self, exports: Path, tmp_path: Path) -> None:
        content = (exports / "one-step.onnx").read_bytes()
        path = tmp_path / "cut.onnx"
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(Failed, match="is the file cut short"):
            small_model(path).fingerprint()

    def test_an_opset_of_the_future(self, tmp_path: Path) -> None:
        path = saved(halving(opset=99), tmp_path / "new.onnx")
        assert small_model(path).fingerprint()
        with pytest.raises(
            Failed, match=r"cannot load it \(opset 99\).*install a newer onnxruntime, or export with an"
        ):
            images_of(small_model(path), batch([0]))

    def test_an_operator_that_is_not_standard(self, tmp_path: Path) -> None:
        model = halving()
        model.graph.node[0].op_type = "Halve"
        with pytest.raises(Failed, match=r"cannot load it.*Halve.*expected a model of standard operators"):
            images_of(small_model(saved(model, tmp_path / "odd.onnx")), batch([0]))

    def test_inputs_that_cannot_be_fed(self, tmp_path: Path) -> None:
        model = halving()
        model.graph.input.append(helper.make_tensor_value_info("prompt", TensorProto.STRING, ["batch"]))
        with pytest.raises(Failed, match=r"its input prompt is a tensor\(string\), expected one of tensor\(double\)"):
            images_of(small_model(saved(model, tmp_path / "text.onnx")), batch([0]))

    def test_inputs_that_are_missing_or_too_many(self, exports: Path) -> None:
        with pytest.raises(Failed, match=r"nothing feeds label"):
            images_of(Onnx(path=exports / "one-step.onnx", image_shape=SHAPE), batch([0]))
        with pytest.raises(Failed, match=r"found inputs noise .*none can take the time"):
            images_of(one_step(exports, num_steps=2, sampler={"edm": {}}), batch([0]))

    def test_an_output_of_another_shape(self, tmp_path: Path) -> None:
        model = halving(image=["batch", 64])
        model.graph.node[0].output[0] = "square"
        model.graph.node.append(helper.make_node("Flatten", ["square"], ["image"]))
        with pytest.raises(Failed, match=r"its output 0 is float32 \[1, 64\], expected .* \[1, 1, 8, 8\]"):
            images_of(small_model(saved(model, tmp_path / "flat.onnx")), batch([0]))

    def test_a_label_that_the_network_does_not_know(self, exports: Path) -> None:
        with pytest.raises(Failed, match=r"one-step\.onnx: running it failed: .*out of data bounds"):
            images_of(one_step(exports), batch([11], classes=12))


class TestTarget:
    def test_another_dtype_is_skipped(self, small: Path) -> None:
        with pytest.raises(Skipped, match="its weights are float32, and the target computes in bfloat16"):
            small_model(small).open(Cpu(dtype="bfloat16")).__enter__()

    def test_half_precision(self, tmp_path: Path, small: Path) -> None:
        half = small_model(saved(halving(kind=TensorProto.FLOAT16), tmp_path / "half.onnx"))
        with half.open(Cpu(dtype="float16", threads=1)) as model:
            found = model.generate(batch(range(2)), NoProbe())
        assert levels_apart(found, images_of(small_model(small), batch(range(2)))) <= 1

    def test_threads_are_the_targets(self, small: Path) -> None:
        with small_model(small).open(ONE_THREAD) as model:
            options = model.network._session.get_session_options()
        assert options.intra_op_num_threads == 1

    def test_cuda_needs_a_runtime_that_has_it(self) -> None:
        if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            pytest.skip("this ONNX Runtime has CUDA support")
        with pytest.raises(Unavailable, match="pip install onnxruntime-gpu"):
            providers(torch.device("cuda:0"), None)

    def test_other_devices_are_unavailable(self) -> None:
        with pytest.raises(Unavailable, match="runs on the devices cpu and cuda, and the target's is mps"):
            providers(torch.device("mps"), None)

    def test_packages_that_are_missing(self, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(Unavailable, match=r"needs the package onnxruntime; .* pip install 'evalsuite\[onnx\]'"):
            small_model(small).fingerprint()
