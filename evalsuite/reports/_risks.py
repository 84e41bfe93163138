"""What a run has to say to the function MEASURE of NIST's AI Risk Management Framework (NIST AI 100-1, 2023)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from evalsuite.records import Measurement
from evalsuite.reports._format import counted
from evalsuite.reports.contract import ReportInputs


class Asked(NamedTuple):
    """A subcategory of MEASURE: its number, what it asks for in short, and what a run has for it ("" for nothing)."""

    number: str
    asks: str
    found: Callable[[str, ReportInputs], str]


def _own(model: str, inputs: ReportInputs) -> list[Measurement]:
    return [m for m in inputs.record.measurements if m.model == model]


def _methods(model: str, inputs: ReportInputs) -> str:
    names = dict.fromkeys(m.name for m in _own(model, inputs))
    absent = sum(cell.model == model for cell in inputs.record.missing)
    missing = f"; {counted(absent, 'cell')} without a number, each with its reason" if absent else ""
    return f"{counted(len(names), 'metric')}: {', '.join(names)}{missing}" if names else ""


def _documented(model: str, inputs: ReportInputs) -> str:
    return f"suite {inputs.record.suite_hash[:12]}, protocol of every number" if _own(model, inputs) else ""


def _performance(model: str, inputs: ReportInputs) -> str:
    cells = [m for m in _own(model, inputs) if m.slice == "all"]
    sure = sum(m.interval is not None for m in cells)
    return f"{counted(len(cells), 'value')}, {sure} of them with an interval" if cells else ""


def _validity(model: str, inputs: ReportInputs) -> str:
    slices = dict.fromkeys(m.slice for m in _own(model, inputs) if m.slice != "all")
    return f"{counted(len(slices), 'slice')} beside the whole set; conditional on the reference" if slices else ""


def _fairness(model: str, inputs: ReportInputs) -> str:
    parts = dict.fromkeys(m.slice for m in _own(model, inputs) if "=" in m.slice and "." not in m.slice)
    return (
        f"differences between {counted(len(parts), 'subset')}; whether they harm anyone is not measured"
        if parts
        else ""
    )


def _environment(model: str, inputs: ReportInputs) -> str:
    names = dict.fromkeys(m.name for m in _own(model, inputs) if m.metric in ("energy", "energy_per_image"))
    return f"energy of inference: {', '.join(names)}" if names else ""


def _over_time(model: str, inputs: ReportInputs) -> str:
    count = len(inputs.verdicts)
    return f"{counted(count, 'gate')} that later runs can be judged by" if count else ""


MEASURE = (
    Asked("MEASURE 1.1", "methods and metrics chosen, and what cannot be measured", _methods),
    Asked("MEASURE 2.1", "test sets, metrics and tools documented", _documented),
    Asked("MEASURE 2.3", "performance measured under conditions like deployment", _performance),
    Asked("MEASURE 2.5", "validity and reliability, and limits of generalising", _validity),
    Asked("MEASURE 2.6", "safety evaluated", lambda model, inputs: ""),
    Asked("MEASURE 2.7", "security and resilience evaluated", lambda model, inputs: ""),
    Asked("MEASURE 2.10", "privacy examined", lambda model, inputs: ""),
    Asked("MEASURE 2.11", "fairness and bias evaluated", _fairness),
    Asked("MEASURE 2.12", "environmental impact assessed", _environment),
    Asked("MEASURE 3.1", "risks tracked over time", _over_time),
)
"""Those that an evaluation of images can speak to, or that readers must know it does not; wording of our own."""
