"""The tables for a paper: numbers, bold only beyond chance, and that no text becomes a command."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.latex import Latex, escaped
from tests.reports import synthetic
from tests.reports.hostile import TEXTS, hostile_inputs

COMMANDS = {
    "begin", "end", "centering", "caption", "toprule", "midrule", "bottomrule", "scriptsize", "textbf",
    "textsuperscript", "uparrow", "downarrow", "usepackage", "par", "medskip", "small",
    "setlength", "tabcolsep",
}  # fmt: skip
ESCAPES = {
    "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar", "char",
    "textasciigrave", "textquotesingle", "times", "textmu", "infty",
}  # fmt: skip


def tex(inputs: ReportInputs) -> str:
    return Latex().render(inputs)["tables.tex"].decode()


def test_a_table_has_values_intervals_and_directions(inputs: ReportInputs) -> None:
    text = tex(inputs)
    assert text.count(r"\begin{table}") == 1
    assert r"FID $\downarrow$" in text
    assert "9.4 & " in text
    assert r"{\scriptsize [8.8, 10.0]}" in text
    assert r"\textsuperscript{invalid}" in text
    assert "95\\,\\% intervals" in text


def test_bold_is_what_is_best_beyond_chance_alone(inputs: ReportInputs) -> None:
    assert r"\textbf" not in tex(inputs)
    best = synthetic.measurement("fid", "teacher").identity
    assert re.findall(r"\\textbf\{([^}]*)\}", tex(replace(inputs, best=frozenset({best})))) == ["9.4"]


def test_every_row_has_as_many_cells_as_the_head(inputs: ReportInputs) -> None:
    for block in re.findall(r"\\begin\{tabular\}\{(lr+)\}(.*?)\\end", tex(inputs), re.S):
        columns = len(block[0])
        lines = [line for line in block[1].splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines} == {columns}


def test_texts_of_the_run_start_no_command(inputs: ReportInputs) -> None:
    text = tex(hostile_inputs(inputs))
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= COMMANDS | ESCAPES
    assert "\u202e" not in text
    assert r"\$\textbackslash{}frac\{1\}\{2\}\$" in text


def test_no_row_starts_with_an_argument_of_the_line_break_before_it(inputs: ReportInputs) -> None:
    text = tex(hostile_inputs(inputs))
    assert "{[link](https" in text
    assert not re.search(r"\\\\\s*[\[*]", text)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("encoding", ["", r"\usepackage[T1]{fontenc}"])
def test_latex_sets_the_tables_without_complaint(inputs: ReportInputs, tmp_path: Path, encoding: str) -> None:
    best = frozenset({synthetic.measurement("fid", "teacher").identity})
    for name, shown in (("plain", replace(inputs, best=best)), ("hostile", hostile_inputs(inputs))):
        (tmp_path / f"{name}.tex").write_text(tex(shown))
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}" + encoding + r"\usepackage{booktabs}\usepackage{textcomp}"
        r"\begin{document}\input{plain}\input{hostile}\end{document}"
    )
    command = ["pdflatex", "-no-shell-escape", "-interaction=batchmode", "-halt-on-error", "paper.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    plain, _, _ = (tmp_path / "paper.log").read_text(errors="replace").partition("(./hostile.tex")
    assert "Overfull" not in plain


def test_special_characters_are_escaped() -> None:
    assert escaped(r"100% of a_b & {c} \d") == r"100\% of a\_b \& \{c\} \textbackslash{}d"
    assert all("%" not in re.sub(r"\\%", "", escaped(text)) for text in TEXTS)
