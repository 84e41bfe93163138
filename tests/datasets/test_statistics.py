"""A statistics file in place of the reference's images: the same Fréchet distance, and reasons for all the rest."""

from pathlib import Path

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.direct.measure import moments
from evalsuite.errors import Failed, Skipped, Unavailable
from evalsuite.moments import save
from evalsuite.store import Store
from tests.pipeline.test_measure import Run
from tests.pipeline.user_models import model, suite_of

METRICS = [{"name": name, "metric": name, "settings": {"extractor": "pixels"}} for name in ("fid", "kid", "vendi")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Statistics of Fashion-MNIST's first test images by the extractor ``pixels``."""
    folder = tmp_path_factory.mktemp("statistics")
    images = plugins.find("datasets", "fashion-mnist")(split="test").images(np.arange(400))
    save(moments(images, extractor="pixels", cache=folder / "cache"), folder / "reference.safetensors")
    np.save(folder / "images.npy", images)
    return folder / "reference.safetensors"


def run_against(reference: dict, folder: Path) -> Run:
    models = {"teacher": model(folder, "Noisy", "teacher", condition="none")}
    suite = suite_of(models, num_samples=200, metrics=METRICS, task="unconditional", reference=reference)
    return Run(suite, Store(folder / "cache"))


def test_fid_is_that_against_the_images(file: Path, tmp_path: Path) -> None:
    run = run_against({"dataset": "statistics", "settings": {"path": str(file)}}, tmp_path)
    from PIL import Image

    for number, image in enumerate(np.load(file.with_name("images.npy"))):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(image[0]).save(tmp_path / "images" / f"{number:03d}.png")
    whole = run_against({"dataset": "image-folder", "settings": {"path": str(tmp_path / "images")}}, tmp_path)
    assert run.of("teacher", "fid").value == pytest.approx(whole.of("teacher", "fid").value, rel=1e-6)
    assert run.of("teacher", "vendi").value == whole.of("teacher", "vendi").value
    (gap,) = run.missing
    assert (gap.name, gap.kind) == ("kid", "skipped")
    assert "only their mean and covariance" in gap.reason


def test_statistics_of_another_extractor_fail(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    images = np.load(file.with_name("images.npy"))
    save(moments(images, extractor="spectrum", cache=tmp_path / "cache"), other)
    run = run_against({"dataset": "statistics", "settings": {"path": str(other)}}, tmp_path)
    reasons = {gap.name: gap.reason for gap in run.missing}
    assert set(reasons) == {"fid", "kid"}
    assert "were made with extractor spectrum, the metric asks for pixels" in reasons["fid"]


def test_what_it_says_of_itself(file: Path) -> None:
    dataset = plugins.find("datasets", "statistics")(path=file)
    assert (dataset.size(), dataset.class_names(), dataset.labels()) == (400, (), None)
    assert len(dataset.fingerprint()) == 64
    with pytest.raises(Skipped, match="no images"):
        dataset.images(np.arange(2))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="set path to a statistics file"):
        plugins.find("datasets", "statistics")(path=tmp_path / "nothing.npz").moments()
    (tmp_path / "text.safetensors").write_text("hello")
    np.savez(tmp_path / "images.npz", images=np.zeros(3))
    for name in ("text.safetensors", "images.npz"):
        with pytest.raises(Failed, match="cannot be read as statistics"):
            plugins.find("datasets", "statistics")(path=tmp_path / name).moments()
