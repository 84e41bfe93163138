"""Names and texts that try to become markup, formulas, links or to hide."""

from __future__ import annotations

from dataclasses import replace

from evalsuite.records import Comparison, Measurement, Term, Verdict, Weights
from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic

TEXTS = (
    "<script>alert(1)</script>",
    "\"' onload='alert(1)",
    "javascript:alert(1)",
    "right\u202eto left",
    "line\u2028separator\u200bzero",
    "[link](https://example.org) ![x](http://example.org/x.png)",
    "@somebody #12 www.example.org",
    "a|b|c ` `` ~~~ *bold* _it_",
    '=HYPERLINK("http://example.org")',
    "{{ 7 * 7 }} $\\frac{1}{2}$",
    "&lt;b&gt; &amp;",
    "-- \x00 \x1b[31m",
)


def hostile_inputs(inputs: ReportInputs) -> ReportInputs:
    """A run whose every name and text is one of them."""

    def named(measurement: Measurement, text: str) -> Measurement:
        changes = {
            "model": text, "case_key": f"{text}@{TEXTS[0]}/all", "target": TEXTS[0], "unit": "", "warning": text,
            "role": "teacher" if text == TEXTS[0] else "student", "protocol": {text: text}, "extractor": text,
        }  # fmt: skip
        return measurement.model_copy(update=changes)

    names = ("fid", "kid", "latency_p50")
    cells = [named(synthetic.measurement(name, "narrow"), text) for text in TEXTS for name in names]
    absent = [
        synthetic.missing("ssim", "narrow", "all", text, "failed").model_copy(
            update={"name": text, "metric": text, "model": text, "target": TEXTS[0], "slice": f"class={text}"}
        )
        for text in TEXTS
    ]
    compared = [
        Comparison(name="fid", terms=[Term(coefficient=1, identity=m.identity)], unit="", incomparable=m.model)
        for m in cells
    ]
    timed = [synthetic.timings("narrow").model_copy(update={
        "case_key": f"{text}@{TEXTS[0]}/all", "valid": False, "reason": text,
    }) for text in TEXTS]  # fmt: skip
    suite = {
        "suite": TEXTS[0], "task": TEXTS[1], "description": TEXTS[3],
        "models": {t: {"role": "student"} for t in TEXTS[1:]},
        "metrics": [{"name": t} for t in TEXTS], "slices": [{"kind": "attribute", "settings": {"by": "class"}}],
    }  # fmt: skip
    record = inputs.record.model_copy(update={
        "suite": suite, "environment": dict(zip(TEXTS, TEXTS, strict=True)),
        "provenance": {TEXTS[0]: {TEXTS[1]: TEXTS[2]}},
        "measurements": cells, "missing": absent, "timings": timed,
        "weights": [Weights(model=text, target=TEXTS[0]) for text in TEXTS],
        "gallery": [p.model_copy(update={"label": TEXTS[p.sample_id]}) for p in inputs.record.gallery],
    })  # fmt: skip
    verdicts = [Verdict(gate=text, outcome="fail", reason=text) for text in TEXTS]
    return replace(inputs, record=record, comparisons=compared, verdicts=verdicts, command=" ".join(TEXTS))
