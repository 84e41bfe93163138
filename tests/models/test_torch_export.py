"""Exported PyTorch programs: the zoo's images from its exports, and why they need --allow-code."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evalsuite.errors import Failed, Skipped, Unavailable
from evalsuite.models.contract import NoProbe
from evalsuite.models.torch_export import TorchExport
from evalsuite.models.zoo import Zoo
from evalsuite.models.zoo.sampler import SIGMA_MIN
from evalsuite.plugins import find
from evalsuite.records import NoiseSpec
from evalsuite.targets.cpu import Cpu
from tests.conftest import ROOT
from tests.models.graphs import (
    ONE_STEP,
    SHAPE,
    TEACHER,
    Halved,
    OneStep,
    Teacher,
    as_pt2,
    batch,
    floats_of,
    images_of,
)

SMALL = (torch.zeros(2, 1, 8, 8),)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    as_pt2(OneStep(), ONE_STEP, folder / "one-step.pt2")
    as_pt2(Teacher(), TEACHER, folder / "teacher.pt2")
    as_pt2(Halved(), SMALL, folder / "small.pt2")
    return folder


def one_step(exports: Path, **more) -> TorchExport:
    return TorchExport(path=exports / "one-step.pt2", image_shape=SHAPE, condition="class", null_class=10, **more)


def teacher(exports: Path, **more) -> TorchExport:
    sampler = {"edm": {"solver": "dpm_solver_2m", "sigma_min": SIGMA_MIN}}
    settings = {"condition": "class", "null_class": 10, "num_steps": 4, "sampler": sampler, **more}
    return TorchExport(path=exports / "teacher.pt2", image_shape=SHAPE, **settings)


def small_model(path: Path, **more) -> TorchExport:
    return TorchExport(path=path, image_shape=(1, 8, 8), **more)


def levels_apart(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other).max())


class TestImages:
    def test_an_exported_student_makes_the_students_images(self, exports: Path) -> None:
        for noise in (NoiseSpec(), NoiseSpec(1.1)):
            expected = images_of(Zoo(name="fashion-1step"), batch(range(9), noise))
            assert levels_apart(images_of(one_step(exports), batch(range(9), noise)), expected) <= 1

    @pytest.mark.parametrize("scale", [1.0, 1.5])
    def test_an_exported_teacher_makes_the_teachers_images(self, exports: Path, scale: float) -> None:
        expected = images_of(Zoo(name="fashion-teacher", num_steps=4, guidance_scale=scale), batch(range(9)))
        found = images_of(teacher(exports, guidance_scale=scale), batch(range(9)))
        assert levels_apart(found, expected) <= 1

    def test_an_image_is_the_same_alone_and_in_a_batch(self, exports: Path) -> None:
        model = teacher(exports, guidance_scale=1.5)
        whole = floats_of(model, batch(range(7)))
        parts = floats_of(model, batch([0]), batch([1, 2, 3]), batch([4, 5, 6]))
        assert 127.5 * (whole - parts).abs().max() <= model.capabilities().tolerance

    def test_a_fixed_batch_size(self, exports: Path, tmp_path: Path) -> None:
        fixed = small_model(as_pt2(Halved(), SMALL, tmp_path / "fixed.pt2", free_batch=False))
        expected = images_of(small_model(exports / "small.pt2"), batch(range(3)))
        assert np.array_equal(images_of(fixed, batch(range(3))), expected)

    def test_keyword_and_constant_arguments(self, exports: Path, tmp_path: Path) -> None:
        class Net(nn.Module):
            def forward(self, noise: Tensor, scale: float, *, label: Tensor, extra: None = None) -> dict[str, Tensor]:
                return {"image": noise * scale + label[:, None, None, None]}

        program = torch.export.export(Net(), (*SMALL, 0.5), {"label": torch.zeros(2, dtype=torch.int64), "extra": None})
        path = tmp_path / "keywords.pt2"
        torch.export.save(program, path)
        found = images_of(small_model(path, condition="class"), batch([0, 10]))
        assert np.array_equal(found, images_of(small_model(exports / "small.pt2"), batch([0, 10])))


class TestDescription:
    def test_is_found(self) -> None:
        assert find("models", "torch_export") is TorchExport

    def test_fingerprint_covers_file_and_settings(self, exports: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy.pt2"
        copy.write_bytes((exports / "small.pt2").read_bytes())
        fingerprint = small_model(copy).fingerprint()
        assert fingerprint == small_model(exports / "small.pt2", licence="MIT").fingerprint()
        assert fingerprint != small_model(copy, output_range=(0, 1)).fingerprint()
        other = Halved()
        other.weight.data.fill_(0.25)
        assert fingerprint != small_model(as_pt2(other, SMALL, copy)).fingerprint()

    def test_provenance(self, exports: Path) -> None:
        found = small_model(exports / "small.pt2", licence="MIT").provenance()
        assert found["producer"] == f"pytorch {torch.__version__}"
        assert (found["source"], found["licence"]) == ("small.pt2", "MIT")
        assert found["size_bytes"] == (exports / "small.pt2").stat().st_size
        assert isinstance(found["opset"], int)

    def test_a_description_needs_no_torch(self, exports: Path) -> None:
        program = (
            "import sys; from evalsuite.models.torch_export import TorchExport; "
            f"model = TorchExport(path={str(exports / 'small.pt2')!r}, image_shape=(1, 8, 8)); "
            "model.fingerprint(), model.capabilities(), model.provenance(); print('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
        assert done.stdout.strip() == "False", done.stderr


class Planted:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def with_inputs(source: Path, path: Path, content: bytes) -> Path:
    """A program whose example inputs are replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if "sample_inputs" in name else old.read(name))
    return path


class TestCode:
    def test_a_suite_needs_allow_code(self) -> None:
        assert TorchExport.runs_user_code

    def test_loading_runs_what_a_file_says_and_describing_does_not(self, exports: Path, tmp_path: Path) -> None:
        """Why the adapter asks for it. Once PyTorch refuses such a file, the adapter can be looked at again."""
        trace, packed = tmp_path / "trace", io.BytesIO()
        torch.save(((Planted(trace),), {}), packed)
        model = small_model(with_inputs(exports / "small.pt2", tmp_path / "planted.pt2", packed.getvalue()))
        model.fingerprint(), model.capabilities(), model.provenance()
        assert not trace.exists()
        images_of(model, batch([0]))
        assert trace.exists()


class TestFiles:
    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match=r"none\.pt2: cannot be read: No such file"):
            small_model(tmp_path / "none.pt2").fingerprint()

    def test_files_of_another_kind(self, exports: Path, tmp_path: Path) -> None:
        path = tmp_path / "net.pt2"
        torch.save(Halved().state_dict(), path)
        with pytest.raises(Failed, match="found 0 exported programs called 'model' in it; expected the file of"):
            small_model(path).fingerprint()
        content = (exports / "small.pt2").read_bytes()
        for wrong in (b"", b"no archive", pickle.dumps({}), content[: len(content) // 2]):
            path.write_bytes(wrong)
            with pytest.raises(Failed, match=r"BadZipFile.*is it cut short, or of another kind"):
                small_model(path).fingerprint()

    def test_a_damaged_program(self, tmp_path: Path) -> None:
        path = tmp_path / "net.pt2"
        for content in ("[]", "{}", '{"opset_version": 1}', "no json"):
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("net/models/model.json", content)
            with pytest.raises(Failed, match=r"expected the file of torch\.export\.save"):
                small_model(path).fingerprint()

    def test_weights_that_are_missing(self, exports: Path, tmp_path: Path) -> None:
        path = tmp_path / "net.pt2"
        with zipfile.ZipFile(exports / "small.pt2") as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                if "weight_0" not in name:
                    new.writestr(name, old.read(name))
        with pytest.raises(Failed, match=r"PyTorch .* cannot load it: .* must be exported again"):
            images_of(small_model(path), batch([0]))

    def test_inputs_that_are_missing_or_too_many(self, exports: Path) -> None:
        with pytest.raises(
            Failed, match=r"found inputs noise \(float32 \[batch, 1, 28, 28\]\), label \(int64 \[batch\]\)"
        ):
            images_of(TorchExport(path=exports / "one-step.pt2", image_shape=SHAPE), batch([0]))
        with pytest.raises(Failed, match="none can take the time"):
            images_of(one_step(exports, num_steps=2, sampler={"edm": {}}), batch([0]))

    def test_an_output_of_another_shape(self, tmp_path: Path) -> None:
        class Flat(Halved):
            def forward(self, noise: Tensor) -> Tensor:
                return super().forward(noise).flatten(1)

        path = as_pt2(Flat(), SMALL, tmp_path / "flat.pt2")
        with pytest.raises(Failed, match=r"its output 0 is float32 \[1, 64\], expected .* \[1, 1, 8, 8\]"):
            images_of(small_model(path), batch([0]))

    def test_a_label_that_the_network_does_not_know(self, exports: Path) -> None:
        with pytest.raises(Failed, match=r"one-step\.pt2: running it failed: IndexError"):
            images_of(one_step(exports), batch([11], classes=12))


class TestTarget:
    def test_another_dtype_is_skipped(self, exports: Path) -> None:
        with pytest.raises(Skipped, match="its weights are float32, and the target computes in bfloat16"):
            small_model(exports / "small.pt2").open(Cpu(dtype="bfloat16")).__enter__()

    def test_a_program_of_the_targets_dtype(self, exports: Path, tmp_path: Path) -> None:
        path = as_pt2(Halved(torch.bfloat16), (SMALL[0].bfloat16(),), tmp_path / "half.pt2")
        with small_model(path).open(Cpu(dtype="bfloat16", threads=1)) as model:
            found = model.generate(batch(range(2)), NoProbe())
        assert levels_apart(found, images_of(small_model(exports / "small.pt2"), batch(range(2)))) <= 2

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    def test_a_program_moves_to_the_gpu(self, exports: Path) -> None:
        expected = images_of(teacher(exports), batch(range(4)))
        cuda = find("targets", "cuda")(batch_size=4)
        with teacher(exports).open(cuda) as model:
            assert levels_apart(model.generate(batch(range(4)), NoProbe()), expected) <= 1
