"""Report format ``parquet``: the table of ``csv`` with its types kept, one row a cell of the run."""

from __future__ import annotations

import io
from collections.abc import Mapping

from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.csv import COLUMNS, rows

NUMBERS = frozenset({
    "value", "interval_low", "interval_high", "interval_level", "difference", "difference_low", "difference_high",
    "p_value", "q_value",
})  # fmt: skip


class Parquet:
    """``measurements.parquet``: the columns of ``measurements.csv``; nulls where there is nothing, base units.

    Texts stand as they are, since no program runs them from here.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {name: pa.float64() if name in NUMBERS else pa.string() for name in COLUMNS}
        types |= {"n": pa.int64(), "higher_is_better": pa.bool_()}
        table = pa.Table.from_pylist([*rows(inputs)], schema=pa.schema(types))
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        return {"measurements.parquet": file.getvalue()}
