"""The report of a run as a page: what each of its sections shows."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from evalsuite.reports import _models
from evalsuite.reports._assets import Assets
from evalsuite.reports._breaks import breaks
from evalsuite.reports._choices import choices, standings
from evalsuite.reports._curves import curve_chart, severity_figures
from evalsuite.reports._drawing import Drawing
from evalsuite.reports._heatmap import heat_maps
from evalsuite.reports._page import Shell
from evalsuite.reports._robustness import ratios, worst_slices
from evalsuite.reports._samples import subset_slices, walls
from evalsuite.reports._sessions import scenario_title
from evalsuite.reports._speed import speed_figures
from evalsuite.reports._summary import cards, gate_rows, headline
from evalsuite.reports._tables import absences_of, main_tables, tables_across, warnings_of
from evalsuite.reports._tradeoff import chart, tradeoff_figures
from evalsuite.reports._weights import held
from evalsuite.reports.contract import ReportInputs

SCRIPTS = ("controls", "tables", "plot", "chart", "curves", "samples")


def report(inputs: ReportInputs, assets: Assets) -> bytes:
    """The page; its pictures go into ``assets``."""
    record = inputs.record
    models, targets = _models.models(record), _models.targets(record)
    speed = speed_figures(record)
    shell = Shell(SCRIPTS, charts=True, models=models, targets=targets)
    found, more = breaks(inputs)
    return shell.render(
        "report.html.j2",
        inputs=inputs,
        record=record,
        models=models,
        targets=targets,
        headline=headline(inputs),
        gates=gate_rows(inputs.verdicts),
        cards=cards(inputs),
        tables=main_tables(inputs),
        across=tables_across(inputs),
        chart=chart(inputs),
        standings=standings(inputs),
        choices=choices(inputs),
        tradeoffs=_placed(tradeoff_figures(inputs), assets),
        walls=walls(inputs, assets),
        subsets=subset_slices(record),
        breaks=found,
        more_breaks=more,
        worst=worst_slices(inputs),
        ratios=ratios(inputs),
        heat_maps=heat_maps(inputs),
        curve_chart=curve_chart(inputs),
        curves=_placed(severity_figures(inputs), assets),
        speed=[(targets.index(target), _placed(figures, assets)) for target, figures in speed.items()],
        absences=absences_of(record.missing),
        warnings=warnings_of(record.measurements),
        places=_models.places(record),
        scenario_title=scenario_title,
        weights=held(record),
        suite_yaml=suite_yaml(inputs),
        files=assets.place == "beside",
    )


def _placed(figures: Sequence[Drawing], assets: Assets) -> list[tuple[Drawing, str]]:
    """Figures with the address of their picture; where pictures are files, each has its PNG beside it too."""
    shown = []
    for figure in figures:
        shown.append((figure, assets.address(f"figures/{figure.name}.svg", figure.svg)))
        if assets.place == "beside":
            assets.address(f"figures/{figure.name}.png", figure.png)
    return shown


def suite_yaml(inputs: ReportInputs) -> str:
    """The resolved suite as it could be written in a file."""
    return yaml.safe_dump(inputs.record.suite, sort_keys=False, allow_unicode=True, width=100)
