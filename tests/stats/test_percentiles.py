"""Values that a percentile needs, from the chance that all of them lie below it."""

import pytest

from evalsuite.stats.percentiles import CONFIDENCE, least_values


@pytest.mark.parametrize(("percentile", "needed"), [(50, 7), (90, 44), (95, 90), (99, 459), (10, 44)])
def test_one_more_than_chance_allows(percentile, needed):
    share = max(percentile, 100 - percentile) / 100
    assert least_values(percentile) == needed
    assert share**needed <= 1 - CONFIDENCE < share ** (needed - 1)
