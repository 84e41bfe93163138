"""Folders that the library ``datasets`` saved, read without it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.datasets.huggingface import Huggingface
from evalsuite.errors import Failed, Unavailable
from tests.conftest import ROOT
from tests.datasets.pictures import NAMES, encoded, image_folder, labels, peak_bytes, pictures, transparent

PICTURES = pictures(8)
CONTENTS = [encoded(image) for image in PICTURES]
FEATURES = {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(NAMES))}


@pytest.fixture(autouse=True)
def _no_progress_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def dataset_of(contents: list[bytes | None], **columns: Any) -> datasets.Dataset:
    images = [None if content is None else {"bytes": content, "path": None} for content in contents]
    return datasets.Dataset.from_dict({"image": images, **columns}, features=datasets.Features(FEATURES))


def save(folder: Path, contents: list[bytes | None] = CONTENTS, **options: Any) -> Path:  # type: ignore[assignment]
    count = len(contents)
    dataset_of(contents, label=labels(count) if count else []).save_to_disk(folder, **options)
    return folder


def test_it_equals_the_folder_of_the_same_pictures(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "folder", PICTURES)
    saved = plugins.find("datasets", "huggingface")(path=save(tmp_path / "saved", num_shards=3), label="label")
    ids = np.array([5, 0, 7, 7, 2])
    np.testing.assert_array_equal(saved.images(ids), folder.images(ids))
    np.testing.assert_array_equal(saved.labels(), folder.labels())
    assert saved.class_names() == folder.class_names()
    assert saved.size() == folder.size()
    assert saved.images(np.array([], np.int64)).shape == (0, 3, 6, 5)


def test_a_selection_is_saved_as_its_rows(tmp_path: Path) -> None:
    dataset_of(CONTENTS, label=labels(8)).select([6, 1, 1]).save_to_disk(tmp_path / "saved")
    saved = Huggingface(path=tmp_path / "saved", label="label")
    np.testing.assert_array_equal(saved.images(np.arange(3)), PICTURES[[6, 1, 1]])
    assert saved.labels().tolist() == [1, 0, 0]  # type: ignore[union-attr]


def test_pictures_as_files_are_saved_within(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(CONTENTS[3])
    features = datasets.Features({"picture": datasets.Image()})
    datasets.Dataset.from_dict({"picture": [str(path)]}, features=features).save_to_disk(tmp_path / "saved")
    path.unlink()
    saved = Huggingface(path=tmp_path / "saved", image="picture")
    np.testing.assert_array_equal(saved.images(np.arange(1)), PICTURES[3:4])
    assert saved.labels() is None
    assert saved.class_names() == ()


@pytest.mark.parametrize("kind", ["string", "int64"])
def test_other_labels(tmp_path: Path, kind: str) -> None:
    features = datasets.Features({"image": datasets.Value("binary"), "kind": datasets.Value(kind)})
    kinds = ["dog", "cat"] if kind == "string" else [1, 0]
    datasets.Dataset.from_dict({"image": CONTENTS[:2], "kind": kinds}, features=features).save_to_disk(
        tmp_path / "saved"
    )
    saved = Huggingface(path=tmp_path / "saved", label="kind")
    assert saved.class_names() == (("cat", "dog") if kind == "string" else ("0", "1"))
    assert saved.labels().tolist() == [1, 0]  # type: ignore[union-attr]


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    first = Huggingface(path=save(tmp_path / "a"), label="label").fingerprint()
    assert Huggingface(path=save(tmp_path / "b"), label="label").fingerprint() == first
    assert Huggingface(path=tmp_path / "a").fingerprint() != first
    assert Huggingface(path=save(tmp_path / "c", CONTENTS[::-1]), label="label").fingerprint() != first  # type: ignore[arg-type]


def test_it_is_read_without_the_library(tmp_path: Path) -> None:
    """Neither its code nor that of a script beside the data runs."""
    (save(tmp_path / "saved") / "saved.py").write_text("raise SystemExit('it ran')")
    program = (
        "import sys, numpy as np\n"
        "from evalsuite.datasets.huggingface import Huggingface\n"
        "Huggingface(path=sys.argv[1]).images(np.arange(8))\n"
        "assert not {'datasets', 'torch', 'dill'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "saved")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        contents = [encoded(image, compress_level=0) for image in pictures(count, 3, 64, 64)]
        saved = Huggingface(path=save(tmp_path / str(count), contents))  # type: ignore[arg-type]
        return peak_bytes(lambda: saved.images(np.arange(count - 8, count)))

    assert peak(800) < 1.2 * peak(100) + 1_000_000, "of the 9 MB more that there are"


BAD_CELLS = {
    "another size": (encoded(pictures(1, 3, 4, 5)[0]), "saved row 0 has 3x6x5 .*, saved row 2 has 3x4x5; resize"),
    "no image": (b"no image", "saved row 2: cannot be read as an image"),
    "cut short": (CONTENTS[2][:-40], "saved row 2: cannot be read as an image, damaged"),
    "transparent": (transparent(), "saved row 2: found transparency"),
    "missing": (
        None,
        "saved row 2: found no bytes, expected an encoded image; images outside of the file are not read",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD_CELLS.values(), ids=BAD_CELLS)
def test_images_that_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    saved = Huggingface(path=save(tmp_path / "saved", [*CONTENTS[:2], content, *CONTENTS[3:]]))
    with pytest.raises(Failed, match=message):
        saved.images(np.arange(8))
    np.testing.assert_array_equal(saved.images(np.arange(3, 8)), PICTURES[3:])


def test_wrong_columns(tmp_path: Path) -> None:
    path = save(tmp_path / "saved")
    with pytest.raises(Failed, match=r"\.arrow: found no column 'img'; did you mean 'image'\?"):
        Huggingface(path=path, image="img").size()
    with pytest.raises(Failed, match="column 'label' holds int64, expected encoded images"):
        Huggingface(path=path, image="label").size()
    with pytest.raises(Failed, match=r"\.arrow: found no column 'labels'; did you mean 'label'\?"):
        Huggingface(path=path, label="labels").labels()
    with pytest.raises(Failed, match=r"column 'image' holds struct<.*, expected labels: whole numbers or text"):
        Huggingface(path=path, label="image").class_names()


def test_hidden_labels_are_no_classes(tmp_path: Path) -> None:
    """Test splits of hubs have -1 there."""
    dataset_of(CONTENTS[:2], label=[0, -1]).save_to_disk(tmp_path / "saved")
    with pytest.raises(
        Failed, match="saved: found label -1 at image 1, expected 0 to 1; leave images without a class out"
    ):
        Huggingface(path=tmp_path / "saved", label="label").labels()


def test_of_splits_one_is_chosen(tmp_path: Path) -> None:
    whole = dataset_of(CONTENTS, label=labels(8))
    datasets.DatasetDict(train=whole, test=whole.select([7])).save_to_disk(tmp_path / "saved")
    with pytest.raises(Failed, match="saved: found the splits test, train; set path to the folder of one of them"):
        Huggingface(path=tmp_path / "saved").size()
    assert Huggingface(path=tmp_path / "saved" / "test").size() == 1


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="none does not exist; set path to a folder that save_to_disk wrote"):
        Huggingface(path=tmp_path / "none").size()
    with pytest.raises(Failed, match=r"found no state\.json, expected a folder that save_to_disk wrote"):
        Huggingface(path=tmp_path).fingerprint()
    with pytest.raises(Unavailable, match="has no rows; expected at least one image"):
        Huggingface(path=save(tmp_path / "empty", [])).size()


def arrow_file(folder: Path) -> Path:
    return next(folder.glob("*.arrow"))


def test_a_missing_file(tmp_path: Path) -> None:
    arrow_file(save(tmp_path / "saved")).unlink()
    with pytest.raises(Unavailable, match=r"data-00000-of-00001\.arrow: cannot be read: No such file"):
        Huggingface(path=tmp_path / "saved").size()


@pytest.mark.parametrize("damage", ["cut short", "empty", "text", "header"])
def test_damaged_files(tmp_path: Path, damage: str) -> None:
    path = arrow_file(save(tmp_path / "saved"))
    whole = path.read_bytes()
    contents = {"cut short": whole[:-500], "empty": b"", "text": b"no table", "header": b"\xff" * 64 + whole[64:]}
    path.write_bytes(contents[damage])
    with pytest.raises(Failed, match=r"\.arrow: cannot be read as an Arrow file, damaged: "):
        Huggingface(path=tmp_path / "saved").images(np.arange(8))


def test_offsets_that_lie_are_found_before_they_are_followed(tmp_path: Path) -> None:
    path = arrow_file(save(tmp_path / "saved"))
    content = path.read_bytes()
    ends = np.cumsum([0, *map(len, CONTENTS)]).astype("<i4")
    lying = ends.copy()
    lying[3:] += 1 << 28
    assert content.count(ends.tobytes()) == 1
    path.write_bytes(content.replace(ends.tobytes(), lying.tobytes()))
    with pytest.raises(Failed, match="saved: cannot be read as Arrow files, damaged: "):
        Huggingface(path=tmp_path / "saved").images(np.arange(8))


STATES = {
    "no JSON": ("{", r"state\.json: cannot be read as the state of a saved dataset, damaged: "),
    "no list": ('{"_data_files": 3}', r"state\.json: cannot be read as the state of a saved dataset, damaged: "),
    "another folder": (
        json.dumps({"_data_files": [{"filename": "../other/data.arrow"}]}),
        r"found the files \['\.\./other/data\.arrow'\], expected names of Arrow files beside it",
    ),
    "an address": (
        json.dumps({"_data_files": [{"filename": "https://example.org/data.arrow"}]}),
        r"found the files \['https://example\.org/data\.arrow'\], expected names",
    ),
    "rows apart": (
        json.dumps({"_data_files": [{"filename": "a.arrow"}], "_indices_data_files": [{"filename": "i.arrow"}]}),
        "found a selection of rows apart from the rows; save it anew with datasets 2.0 or later",
    ),
}


@pytest.mark.parametrize(("state", "message"), STATES.values(), ids=STATES)
def test_lists_of_files_that_are_refused(tmp_path: Path, state: str, message: str) -> None:
    (save(tmp_path / "saved") / "state.json").write_text(state)
    with pytest.raises(Failed, match=message):
        Huggingface(path=tmp_path / "saved").size()


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    save(tmp_path / "saved", num_shards=2)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")})
    images = [{"bytes": CONTENTS[0], "path": None}]
    datasets.Dataset.from_dict({"image": images, "label": ["cat"]}, features=features).save_to_disk(tmp_path / "other")
    arrow_file(tmp_path / "other").replace(tmp_path / "saved" / "data-00001-of-00002.arrow")
    with pytest.raises(Failed, match="saved: cannot be read as Arrow files, damaged: "):
        Huggingface(path=tmp_path / "saved", label="label").labels()
