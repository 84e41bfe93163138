"""Report format ``markdown``: the verdict, the tables and what is missing, for a pull request or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from evalsuite.reports._curves import severity_figures
from evalsuite.reports._drawing import Drawing
from evalsuite.reports._format import condition, counted, flattened, plain
from evalsuite.reports._heatmap import Panel, Tile, heat_maps
from evalsuite.reports._speed import speed_figures
from evalsuite.reports._summary import gate_rows, headline
from evalsuite.reports._tables import MARK_SIGNS, Entry, Row, Table, absences_of, main_tables
from evalsuite.reports._tradeoff import tradeoff_figures
from evalsuite.reports.contract import ReportInputs

WORD_JOINER = "\N{WORD JOINER}"
READING = (
    "Value with its interval, then the paired difference to the teacher with its own. ▲ better and ▼ worse hold beyond "
    "chance, ≈ is no difference found; ↑ higher is better, ↓ lower is better."
)


class Markdown:
    """``report.md`` and the figures it shows, as PNG.

    Texts of the run are escaped: they can make no link, mention, heading, table cell or HTML.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        timed = [figure for found in speed_figures(inputs.record).values() for figure in found]
        drawn = [*tradeoff_figures(inputs), *severity_figures(inputs), *timed]
        pictures = {f"figures/{figure.name}.png": figure for figure in drawn}
        lines = [
            *_verdict(inputs),
            *_tables(inputs),
            *_heat(inputs),
            *_figures(pictures),
            *_missing(inputs),
            *_provenance(inputs),
        ]
        return {"report.md": ("\n".join(lines).rstrip() + "\n").encode(), **{f: p.png for f, p in pictures.items()}}


def escaped(text: str) -> str:
    """Foreign text that reads the same and means nothing to Markdown, nor to a forge's mentions and automatic links."""
    text = re.sub(r"([\\`*_\[\]<>#|~&$])", r"\\\1", plain(text))
    # A backslash does not stop mentions and links that are found after the text is parsed.
    text = re.sub(r"(@|://|www\.|\\#)", rf"\1{WORD_JOINER}", text)
    # At the start of a line these would begin a list or underline a heading.
    return re.sub(r"^(\s*\d*)([-+=.)])", r"\1\\\2", text)


def code(text: str) -> str:
    """Foreign text as a code span that its own backticks and pipes cannot end."""
    shown = plain(text).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown or ' '}`"


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose cells are already escaped; the first column left, the others right."""
    yield f"| {' | '.join(header)} |"
    yield f"|:--|{'--:|' * (len(header) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _verdict(inputs: ReportInputs) -> Iterator[str]:
    top = headline(inputs)
    yield f"# {escaped(str(inputs.record.suite.get('suite', 'unnamed suite')))}: {escaped(top.word)}"
    yield ""
    yield escaped(top.sentence)
    yield ""
    gates = gate_rows(inputs.verdicts)
    if gates:
        yield "| Outcome | Gate | Reason |"
        yield "|:--|:--|:--|"
        for _, word, gate, reason in gates:
            yield f"| **{escaped(word)}** | {escaped(gate)} | {escaped(reason)} |"
        yield ""


def _tables(inputs: ReportInputs) -> Iterator[str]:
    tables = main_tables(inputs)
    if tables:
        yield "## Teacher against students"
        yield ""
        yield READING
        yield ""
    for table in tables:
        yield f"### {escaped(condition(table.slice))}, on target {escaped(table.target)}"
        yield ""
        yield from table_lines(table)


def table_lines(table: Table) -> Iterator[str]:
    """All metrics of one target and slice, and the footnotes."""
    header = ["Metric", *(f"{escaped(model.name)} ({escaped(model.role)})" for model in table.models)]
    rows: list[Sequence[str]] = []
    for title, explanation, group in table.groups:
        rows.append([f"**{title}**, {explanation}", *("" for _ in table.models)])
        rows += [[_heading(row), *(_entry(entry) for entry in row.entries)] for row in group]
    yield from grid(header, rows)
    for number, note in enumerate(table.notes, start=1):
        yield f"<sup>{number}</sup> {escaped(note)}  "
    yield ""


def _heading(row: Row) -> str:
    arrow = {"higher": " ↑", "lower": " ↓", "": ""}[row.direction]
    return f"{escaped(row.title)}{arrow}{f' {escaped(row.unit)}' if row.unit else ''}"


def _entry(entry: Entry) -> str:
    notes = "".join(f"<sup>{n}</sup>" for n in entry.notes)
    if entry.absent:
        return f"*{escaped(entry.absent)}*{notes}"
    value = f"**{entry.value}** {entry.interval or 'no interval'}{' INVALID' if entry.invalid else ''}{notes}"
    if not entry.difference:
        return value
    return f"{value}<br>{MARK_SIGNS[entry.mark]} {escaped(entry.difference)} {entry.difference_interval}"


def _heat(inputs: ReportInputs) -> Iterator[str]:
    for heat_map in heat_maps(inputs):
        yield f"## By {escaped(heat_map.kind)}, on target {escaped(heat_map.target)}"
        yield ""
        for panel in heat_map.panels:
            yield from _panel(panel, heat_map.kind)


def _panel(panel: Panel, kind: str) -> Iterator[str]:
    yield f"**{escaped(panel.title)}**, {panel.explanation}{f', {escaped(panel.unit)}' if panel.unit else ''}"
    yield ""
    header = [escaped(kind), *(escaped(model.name) for model in panel.models)]
    yield from grid(header, [[escaped(name), *map(_tile, tiles)] for name, _, tiles in panel.rows])


def _tile(tile: Tile) -> str:
    if tile.absent:
        return f"*{escaped(tile.text)}*: {escaped(tile.details)}"
    return f"{escaped(tile.text)} {MARK_SIGNS[tile.mark]}".strip()


def _figures(pictures: Mapping[str, Drawing]) -> Iterator[str]:
    if pictures:
        yield "## Figures"
        yield ""
    for file, picture in pictures.items():
        yield f"![{escaped(picture.alt)}]({file})"
        yield ""
        yield escaped(picture.caption)
        yield ""


def _missing(inputs: ReportInputs) -> Iterator[str]:
    yield "## What is missing, and why"
    yield ""
    absences = absences_of(inputs.record.missing)
    if not absences:
        yield "Nothing: every cell of the suite has a number."
    for absence in absences:
        titles = ", ".join(map(escaped, absence.titles))
        yield f"- **{absence.kind}**: {titles} ({counted(len(absence.cells), 'cell')}): {escaped(absence.text)}"
    yield ""


def _provenance(inputs: ReportInputs) -> Iterator[str]:
    record = inputs.record
    yield "## How it was made"
    yield ""
    yield code(inputs.command)
    yield ""
    facts = [("suite_hash", record.suite_hash), ("content_hash", record.content_hash)]
    facts += flattened({"sampling": record.suite.get("sampling", {}), "environment": record.environment})
    for key, text in facts:
        yield f"- {escaped(key)}: {code(text)}"
    yield ""
