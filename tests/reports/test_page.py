"""The shell of pages: what it ships, and how data gets into it."""

from __future__ import annotations

import hashlib
import re

from evalsuite.reports._page import D3, ROOT, data

VENDOR = ROOT / "vendor" / "d3"


def test_vendored_files_are_those_of_the_table() -> None:
    rows = re.findall(r"^\| (d3-\S+) \| ([\d.]+) \| `(\w{64})` \|$", (VENDOR / "README.md").read_text("utf-8"), re.M)
    assert {name for name, _, _ in rows} == set(D3) == {path.name.split(".")[0] for path in VENDOR.glob("*.js")}
    for name, version, digest in rows:
        content = (VENDOR / f"{name}.min.js").read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        assert f"/{name}/ v{version} " in content.decode()[:100]
    assert "Permission to use, copy, modify" in (VENDOR / "LICENSE").read_text("utf-8")


def test_scripts_cannot_end_their_element_and_write_no_markup() -> None:
    scripts = [*VENDOR.glob("*.js"), *(ROOT / "templates" / "scripts").glob("*.js")]
    assert len(scripts) > len(D3)
    for path in scripts:
        text = path.read_text("utf-8")
        assert "</script" not in text.lower()
        if path.parent != VENDOR:
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|\.html\(", text)


def test_data_ends_no_element_and_hides_nothing() -> None:
    text = str(data({"name": "</script>\u2028\u202e&", "list": [1, ("<b>",)]}))
    assert text == '{"name":"\\u003c/script><U+2028><U+202E>\\u0026","list":[1,["\\u003cb>"]]}'.replace(
        "<U+2028><U+202E>", "\\u003cU+2028>\\u003cU+202E>"
    )
