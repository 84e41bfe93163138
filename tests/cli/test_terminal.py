"""Results on stdout, whoever reads them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.table import Table
from rich.text import Text

from evalsuite.cli.terminal import show, show_json


def test_show_writes_no_colour_codes_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table.grid()
    table.add_row(Text("red", style="bold red"), "x" * 100)
    show(table, "[plain]")
    assert capsys.readouterr().out == "red" + "x" * 100 + "\n[plain]\n"


def test_show_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="nan"):
        show_json({"value": float("nan")})


def test_a_reader_that_has_gone_ends_the_program_without_a_word() -> None:
    program = "from evalsuite.cli.terminal import write\nfor _ in range(100_000): write('line' * 100 + chr(10))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.readline()
        writer.stdout.close()
        assert writer.wait(timeout=60) == 128 + 13
        assert writer.stderr.read() == b""
