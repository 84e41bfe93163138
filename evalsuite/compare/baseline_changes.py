"""What changed from one baseline to another: values, cells that came and went, and the circumstances."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.compare.baseline import Baseline
from evalsuite.compare.tables import between
from evalsuite.errors import UsageError
from evalsuite.records import Comparison, Identity, Scalar


@dataclass(frozen=True)
class Changes:
    """From the earlier to the later.

    Attributes:
        facts: what is not measured and differs, before and after: the suite's hash, seeds, commit, environment.
        comparisons: later against earlier, of every measurement that both have.
        gone, new: measurements that only the earlier has, and only the later.
    """

    facts: dict[str, tuple[Scalar, Scalar]]
    comparisons: list[Comparison]
    gone: list[Identity]
    new: list[Identity]


def changes_between(earlier: Baseline, later: Baseline, label: str) -> Changes:
    """Compare two baselines of a suite.

    Args:
        earlier, later: a run can be taken as one, too.
        label: what comparisons call the earlier one.

    Raises:
        UsageError: they are of two suites.
    """
    if earlier.suite != later.suite:
        raise UsageError(f"found the suites {earlier.suite} and {later.suite}, expected two baselines or runs of one")
    before, after = _facts(earlier), _facts(later)
    had, has = ([measurement.identity for measurement in one.measurements] for one in (earlier, later))
    return Changes(
        facts={
            name: (before.get(name), after.get(name)) for name in before | after if before.get(name) != after.get(name)
        },
        comparisons=between(later, earlier, label),
        gone=sorted(set(had) - set(has)),
        new=sorted(set(has) - set(had)),
    )


def _facts(baseline: Baseline) -> dict[str, Scalar]:
    own: dict[str, Scalar] = {"suite_hash": baseline.suite_hash, "commit": baseline.commit or None}
    return {**own, "seeds and classes": baseline.pairing_key, **baseline.environment}
