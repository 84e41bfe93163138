"""What docs/measure.md shows is what there is."""

import json

import evalsuite
from evalsuite.cli.direct import FIELDS, document
from tests.direct.files import clouds
from tests.test_examples import ROOT, blocks

PAGE = ROOT / "docs" / "measure.md"


def test_the_paired_difference_of_the_page():
    _, code = blocks(PAGE, "python")
    given = {"teacher_images": clouds(), "student_images": clouds() + 0.2, "real": clouds(seed=1), "seeds": range(300)}
    names = {"evalsuite": evalsuite, **given}
    exec(code, names)
    assert names["comparison"].paired


def test_the_document_of_the_page():
    (block,) = blocks(PAGE, "json")
    shown = json.loads(block)
    found = document(*evalsuite.measure(generated=clouds(), reference=clouds(seed=1), metrics=["fid", "psnr"]))
    assert shown.keys() == found.keys()
    for part in shown:
        assert [list(row) for row in shown[part]] == [list(row) for row in found[part]]
    assert shown["measurements"][0].keys() == {"metric", *FIELDS}
    assert shown["measurements"][0]["interval"].keys() == found["measurements"][0]["interval"].keys()
    assert shown["measurements"][0]["protocol"].keys() <= found["measurements"][0]["protocol"].keys()
