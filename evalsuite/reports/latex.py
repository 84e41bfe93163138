"""Report format ``latex``: one table a target for a paper, in the style of booktabs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evalsuite.records import Measurement
from evalsuite.reports._format import plain
from evalsuite.reports._tables import Index, Row, Table, main_tables
from evalsuite.reports.contract import ReportInputs

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{\char34}", "-": "{-}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "\N{MINUS SIGN}": "$-$", "×": r"$\times$", "µ": r"\textmu{}", "⁻": r"\textsuperscript{$-$}",
    "³": r"\textsuperscript{3}", "\N{NARROW NO-BREAK SPACE}": r"\,", "∞": r"$\infty$",
}  # fmt: skip
COLUMNS = 4
"""Metrics side by side, as many as a column of A4 holds; more go into further blocks of the table."""


class Latex:
    r"""``tables.tex``, to be read with ``\input``; it needs the packages booktabs and textcomp, and UTF-8.

    Values have their intervals below them. The best of a column is bold only where it is better than all other models
    beyond chance. Every text of the run is escaped: it can start no command.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        index = Index.of(inputs)
        lines = [
            "% Needs \\usepackage{booktabs} and \\usepackage{textcomp}.",
            "% Small print: intervals. Bold: better than every other model beyond chance.",
        ]
        for table in main_tables(inputs):
            lines += ["", *_table(table, inputs, index)]
        return {"tables.tex": ("\n".join(lines) + "\n").encode()}


def escaped(text: str) -> str:
    """Foreign text that TeX sets as it stands."""
    return "".join(SPECIAL.get(character, character) for character in plain(text))


def _table(table: Table, inputs: ReportInputs, index: Index) -> Iterator[str]:
    level = next((m.interval.level for m in inputs.record.measurements if m.interval), None)
    small = f" Small: {100 * level:.0f}\\,\\% intervals." if level else ""
    yield r"\begin{table}"
    yield r"  \centering\small\setlength{\tabcolsep}{4pt}"
    yield rf"  \caption{{Results on target {escaped(table.target)}.{small} Bold: best beyond chance.}}"
    rows = [row for _, _, group in table.groups for row in group]
    for start in range(0, len(rows), COLUMNS):
        if start:
            yield r"  \par\medskip"
        yield from _block(table, rows[start : start + COLUMNS], inputs, index)
    yield r"\end{table}"


def _block(table: Table, rows: Sequence[Row], inputs: ReportInputs, index: Index) -> Iterator[str]:
    yield rf"  \begin{{tabular}}{{l{'r' * len(rows)}}}"
    yield r"    \toprule"
    yield f"    Model & {' & '.join(map(_heading, rows))} \\\\"
    if any(row.unit for row in rows):
        yield f"     & {' & '.join(_small(f'[{row.unit}]' if row.unit else '') for row in rows)} \\\\"
    yield r"    \midrule"
    for position, model in enumerate(table.models):
        entries = [row.entries[position] for row in rows]
        if all(entry.absent for entry in entries):
            continue
        cells = [index.cells.get((row.label, model.name, table.target, table.slice)) for row in rows]
        best = [isinstance(cell, Measurement) and cell.identity in inputs.best for cell in cells]
        values = [
            "---" if entry.absent else rf"\textbf{{{escaped(entry.value)}}}" if bold else escaped(entry.value)
            for entry, bold in zip(entries, best, strict=True)
        ]
        marks = [r"\textsuperscript{invalid}" if entry.invalid else "" for entry in entries]
        # In braces, since a row that starts with a bracket or a star would be an argument of the line break before it.
        yield f"    {{{escaped(model.name)}}} & {' & '.join(map(''.join, zip(values, marks, strict=True)))} \\\\"
        intervals = [_small(entry.interval) for entry in entries]
        if any(intervals):
            yield f"     & {' & '.join(intervals)} \\\\"
    yield r"    \bottomrule"
    yield r"  \end{tabular}"


def _heading(row: Row) -> str:
    arrow = {"higher": r" $\uparrow$", "lower": r" $\downarrow$", "": ""}[row.direction]
    return f"{escaped(row.title)}{arrow}"


def _small(text: str) -> str:
    return rf"{{\scriptsize {escaped(text)}}}" if text else ""
