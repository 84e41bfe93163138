"""Parquet files as pandas, pyarrow and Hugging Face's library write them, and damaged ones."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evalsuite import plugins
from evalsuite.datasets.parquet import Parquet
from evalsuite.errors import Failed, Unavailable
from tests.datasets.pictures import NAMES, encoded, image_folder, labels, peak_bytes, pictures, transparent

PICTURES = pictures(8)
CONTENTS = [encoded(image) for image in PICTURES]


@pytest.fixture(autouse=True)
def _no_progress_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def save(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, **options)
    return path


def published(path: Path) -> Path:
    """As a dataset on a hub: structs with bytes and path, and names of classes among the metadata."""
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(NAMES))})
    images = [{"bytes": content, "path": None} for content in CONTENTS]
    datasets.Dataset.from_dict({"image": images, "label": labels(8)}, features=features).to_parquet(path)
    return path


def test_it_equals_the_folder_of_the_same_pictures(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "folder", PICTURES)
    parquet = plugins.find("datasets", "parquet")(path=published(tmp_path / "a.parquet"), label="label")
    ids = np.array([5, 0, 7, 7, 2])
    np.testing.assert_array_equal(parquet.images(ids), folder.images(ids))
    np.testing.assert_array_equal(parquet.labels(), folder.labels())
    assert parquet.class_names() == folder.class_names()
    assert parquet.size() == folder.size()
    assert parquet.images(np.array([], np.int64)).shape == (0, 3, 6, 5)


def test_bytes_from_pandas(tmp_path: Path) -> None:
    pd.DataFrame({"picture": CONTENTS, "kind": [NAMES[label] for label in labels(8)]}).to_parquet(
        tmp_path / "a.parquet"
    )
    parquet = Parquet(path=tmp_path / "a.parquet", image="picture", label="kind")
    np.testing.assert_array_equal(parquet.images(np.arange(8)), PICTURES)
    assert parquet.class_names() == NAMES
    assert parquet.labels() is not None
    assert list(parquet.labels()) == labels(8)


def test_the_files_of_a_folder_follow_one_another(tmp_path: Path) -> None:
    for name, part in {"b": slice(3, 4), "a": slice(0, 3), "c": slice(4, 8)}.items():
        save(tmp_path / f"train-{name}.parquet", {"image": CONTENTS[part], "label": labels(8)[part]}, row_group_size=2)
    save(tmp_path / "test-a.parquet", {"image": CONTENTS[:1], "label": [0]})
    (tmp_path / ".train-hidden.parquet").write_bytes(b"")
    parquet = Parquet(path=tmp_path, pattern="train-*.parquet", label="label")
    ids = np.array([7, 1, 3, 0, 5, 4, 6, 2])
    np.testing.assert_array_equal(parquet.images(ids), PICTURES[ids])
    assert list(parquet.labels()) == labels(8)  # type: ignore[arg-type]
    assert Parquet(path=tmp_path).size() == 9


def test_spans_in_any_order(tmp_path: Path) -> None:
    parquet = Parquet(path=save(tmp_path / "a.parquet", {"image": CONTENTS}, row_group_size=3))
    for start, stop in [(0, 3), (3, 5), (5, 8), (2, 4), (0, 8), (7, 8), (6, 7)]:
        np.testing.assert_array_equal(parquet.images(np.arange(start, stop)), PICTURES[start:stop])


def test_whole_numbers_without_names(tmp_path: Path) -> None:
    path = save(tmp_path / "a.parquet", {"image": CONTENTS[:3], "label": pa.array([2, 0, 2], pa.uint8())})
    parquet = Parquet(path=path, label="label")
    assert parquet.class_names() == ("0", "1", "2")
    assert parquet.labels().tolist() == [2, 0, 2]  # type: ignore[union-attr]
    assert parquet.labels().dtype == np.int64  # type: ignore[union-attr]


def test_texts_as_categories(tmp_path: Path) -> None:
    categories = pa.array(["dog", "cat", "dog"]).dictionary_encode()
    parquet = Parquet(path=save(tmp_path / "a.parquet", {"image": CONTENTS[:3], "label": categories}), label="label")
    assert parquet.class_names() == ("cat", "dog")
    assert parquet.labels().tolist() == [1, 0, 1]  # type: ignore[union-attr]


def test_without_a_label_there_are_no_classes(tmp_path: Path) -> None:
    parquet = Parquet(path=published(tmp_path / "a.parquet"))
    assert parquet.class_names() == ()
    assert parquet.labels() is None


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    path = save(tmp_path / "a.parquet", {"image": CONTENTS, "label": labels(8), "other": labels(8)})
    first = Parquet(path=path, label="label").fingerprint()
    moved = path.rename(tmp_path / "b.parquet")
    assert Parquet(path=moved, label="label").fingerprint() == first
    assert Parquet(path=moved, label="other").fingerprint() != first
    save(moved, {"image": CONTENTS[::-1], "label": labels(8), "other": labels(8)})
    assert Parquet(path=moved, label="label").fingerprint() != first


@pytest.mark.parametrize("row_group_size", [50, 100_000], ids=["small row groups", "one row group"])
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path, row_group_size: int) -> None:
    """Of the last images, behind all others."""

    def peak(count: int) -> int:
        contents = [encoded(image, compress_level=0) for image in pictures(count, 3, 64, 64)]
        path = save(
            tmp_path / f"{count}.parquet",
            {"image": contents},
            row_group_size=row_group_size,
            write_batch_size=16,  # else a page, of which no less can be read, has 1024 images
        )
        parquet = Parquet(path=path)
        return peak_bytes(lambda: parquet.images(np.arange(count - 8, count)))

    assert peak(1600) < 1.2 * peak(200) + 1_000_000, "of the 17 MB more that there are"


def test_rising_spans_cost_one_pass(tmp_path: Path) -> None:
    """A file that is one row group is not read again for every span."""
    contents = [encoded(image, compress_level=0) for image in pictures(2_000, 3, 32, 32)]
    parquet = Parquet(path=save(tmp_path / "a.parquet", {"image": contents}, row_group_size=100_000))
    reads = []
    original = parquet._rows._cell

    def counted(row: int) -> Any:
        before = parquet._rows.cells
        found = original(row)
        reads.append(parquet._rows.cells is not before)
        return found

    parquet._rows._cell = counted  # type: ignore[method-assign]
    for start in range(0, 2_000, 100):
        parquet.images(np.arange(start, start + 100))
    assert sum(reads) <= 2, "once for the first image's shape, once for all"


IMAGES = {"image": CONTENTS}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no column": (IMAGES, {"image": "imag"}, "found no column 'imag'; did you mean 'image'?"),
    "no label column": (IMAGES, {"label": "x"}, "found no column 'x'; there are: image"),
    "texts": (
        {"image": ["a.png"]},
        {},
        "column 'image' holds string, expected encoded images: bytes, or a struct with",
    ),
    "no bytes": ({"image": [{"path": "a"}]}, {}, "column 'image' holds struct<path: string>, expected encoded images"),
    "numbers": (
        IMAGES | {"label": [0.5] * 8},
        {"label": "label"},
        "column 'label' holds double, expected labels: whole",
    ),
    "a gap": (
        IMAGES | {"label": [0, None] * 4},
        {"label": "label"},
        "found no label at image 1, expected one for every",
    ),
    "negative": (
        IMAGES | {"label": [0, -1] * 4},
        {"label": "label"},
        "found label -1 at image 1, expected 0 to 99999;",
    ),
    "ids": (
        IMAGES | {"label": [10**12] * 8},
        {"label": "label"},
        "found label 1000000000000 at image 0, expected 0 to",
    ),
    "unsigned ids": (
        IMAGES | {"label": pa.array([2**63] * 8, pa.uint64())},
        {"label": "label"},
        "found label 9223372036854775808 at image 0, expected 0 to 99999",
    ),
}


@pytest.mark.parametrize(("columns", "chosen", "message"), REFUSED.values(), ids=REFUSED)
def test_columns_that_are_refused(
    tmp_path: Path, columns: dict[str, Any], chosen: dict[str, Any], message: str
) -> None:
    parquet = Parquet(path=save(tmp_path / "a.parquet", columns), **chosen)
    with pytest.raises(Failed) as refused:
        parquet.labels() if "label" in chosen else parquet.size()
    assert str(refused.value).startswith(f"{parquet.path}: {message}")


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array(CONTENTS)] * 2, ["image", "image"]), tmp_path / "a.parquet")
    with pytest.raises(Failed, match="found 2 columns 'image', expected one"):
        Parquet(path=tmp_path / "a.parquet").size()


def test_a_label_beyond_the_declared_names(tmp_path: Path) -> None:
    declared = {"info": {"features": {"label": {"names": ["cat"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": CONTENTS, "label": labels(8)}).replace_schema_metadata(
        {"huggingface": json.dumps(declared)}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(Failed, match="found label 1 at image 4, expected 0 to 0"):
        Parquet(path=tmp_path / "a.parquet", label="label").labels()


@pytest.mark.parametrize(
    "metadata", ["no JSON", "[]", '{"info": 3}', '{"info": {"features": {"label": {"names": [1]}}}}']
)
def test_metadata_of_others_are_no_names(tmp_path: Path, metadata: str) -> None:
    table = pa.table({"image": CONTENTS, "label": labels(8)}).replace_schema_metadata({"huggingface": metadata})
    pq.write_table(table, tmp_path / "a.parquet")
    assert Parquet(path=tmp_path / "a.parquet", label="label").class_names() == ("0", "1")


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    save(tmp_path / "a.parquet", IMAGES | {"label": labels(8)})
    save(tmp_path / "b.parquet", IMAGES | {"label": ["cat"] * 8})
    with pytest.raises(
        Failed, match=r"b\.parquet: column 'label' has another type or other class names than in a\.parq"
    ):
        Parquet(path=tmp_path, label="label").labels()
    save(tmp_path / "c.parquet", {"picture": CONTENTS})
    with pytest.raises(Failed, match=r"c\.parquet: found no column 'image'; there are: picture"):
        Parquet(path=tmp_path).size()


BAD_CELLS = {
    "another size": (
        encoded(pictures(1, 3, 4, 5)[0]),
        r"a\.parquet row 0 has 3x6x5 .*, a\.parquet row 2 has 3x4x5; resize",
    ),
    "grey": (encoded(pictures(1, 1)[0]), r"a\.parquet row 2 has 1x6x5"),
    "no image": (b"no image", r"a\.parquet row 2: cannot be read as an image"),
    "cut short": (CONTENTS[2][:-40], r"a\.parquet row 2: cannot be read as an image, damaged"),
    "transparent": (transparent(), r"a\.parquet row 2: found transparency"),
    "missing": (
        None,
        r"a\.parquet row 2: found no bytes, expected an encoded image; images outside of the file are not",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD_CELLS.values(), ids=BAD_CELLS)
@pytest.mark.parametrize("nested", [False, True], ids=["bytes", "struct"])
def test_images_that_are_refused(tmp_path: Path, content: bytes | None, message: str, nested: bool) -> None:
    cells: list[Any] = [*CONTENTS[:2], content, *CONTENTS[3:]]
    if nested:
        cells = [{"bytes": cell, "path": "/etc/hostname"} for cell in cells]
    parquet = Parquet(path=save(tmp_path / "a.parquet", {"image": cells}))
    with pytest.raises(Failed, match=message):
        parquet.images(np.arange(8))
    np.testing.assert_array_equal(parquet.images(np.arange(3, 8)), PICTURES[3:])


def test_rows_are_named_by_their_file(tmp_path: Path) -> None:
    save(tmp_path / "a.parquet", IMAGES, row_group_size=3)
    save(tmp_path / "b.parquet", {"image": [*CONTENTS[:4], b"?"]}, row_group_size=2)
    with pytest.raises(Failed, match=r"b\.parquet row 4: cannot be read as an image"):
        Parquet(path=tmp_path).images(np.array([12]))


def test_damaged_files(tmp_path: Path) -> None:
    path = save(tmp_path / "a.parquet", IMAGES, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    for name, content in {"cut": whole[:-10], "empty": b"", "text": b"no table"}.items():
        damaged = tmp_path / f"{name}.parquet"
        damaged.write_bytes(content)
        with pytest.raises(Failed, match=rf"{name}\.parquet: cannot be read as Parquet, damaged: "):
            Parquet(path=damaged).size()
    damaged.write_bytes(whole[:4] + b"\xff" * 200 + whole[204:])
    with pytest.raises(Failed, match="cannot be read as Parquet, damaged: "):
        Parquet(path=damaged).images(np.arange(8))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"none does not exist; expected a file, or a folder of files \*\.parquet"):
        Parquet(path=tmp_path / "none").size()
    with pytest.raises(Unavailable, match=r"has no file \*\.parquet; set path to the folder that has them, or pattern"):
        Parquet(path=tmp_path).fingerprint()
    (tmp_path / "below").mkdir()
    save(tmp_path / "a.parquet", IMAGES)
    with pytest.raises(Unavailable, match=r"below has no file \.\./\*\.parquet"):
        Parquet(path=tmp_path / "below", pattern="../*.parquet").size()
    save(tmp_path / "a.parquet", {"image": pa.array([], pa.binary())})
    with pytest.raises(Unavailable, match="has no rows; expected at least one image"):
        Parquet(path=tmp_path).size()


def test_a_file_that_changed_is_read_anew(tmp_path: Path) -> None:
    path = save(tmp_path / "a.parquet", IMAGES | {"label": labels(8)})
    assert Parquet(path=path, label="label").size() == 8
    time.sleep(0.01)
    save(path, {"image": CONTENTS[:2], "label": [3, 3]})
    assert Parquet(path=path, label="label").labels().tolist() == [3, 3]  # type: ignore[union-attr]
