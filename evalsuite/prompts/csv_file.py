"""A table of comma-separated values with a column of prompts."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator

from evalsuite.errors import nearest
from evalsuite.prompts._file import PromptFile, Row, fault, lines

SEPARATOR = ";"
"""Between several values in one field."""


class CsvFile(PromptFile):
    """A table in UTF-8 whose first line names the columns; fields are separated by commas, in ``.tsv`` files by tabs.

    Every other column is one of attributes: an empty field is no value, and several are separated by semicolons. Fields
    with commas, quotes or line ends stand in double quotes. Empty lines are left out.

    Attributes:
        prompt: name of the column of prompts.
    """

    source: str = "a local table"

    prompt: str = "prompt"

    def rows(self) -> Iterator[Row]:
        """The rows below the header.

        Raises:
            Failed: there is no such column or two of one name, or a row has more or fewer fields than the header.
        """
        records = self._records()
        number, header = next(records, (0, []))
        names = [name.strip() for name in header]
        self._check_header(number, names)
        for number, fields in records:
            if len(fields) != len(names):
                hint = "put fields with commas in double quotes" if len(fields) > len(names) else ""
                raise fault(
                    self.path, number, f"a row of {len(fields)}", f"{len(names)} fields, as in the header", hint
                )
            values = dict(zip(names, fields, strict=True))
            text = values.pop(self.prompt)
            yield Row(number, text, {name: value.split(SEPARATOR) for name, value in values.items()})

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Records with the line that they end in."""
        delimiter = "\t" if self.path.suffix.lower() == ".tsv" else ","
        reader = csv.reader((line for _, line in lines(self.path)), delimiter=delimiter, strict=True)
        try:
            for fields in reader:
                if fields:
                    yield reader.line_num, fields
        except csv.Error as error:
            raise fault(self.path, reader.line_num, f"a broken record ({error})", "a table with commas") from error

    def _check_header(self, number: int, names: list[str]) -> None:
        if self.prompt not in names:
            found = f"the columns {', '.join(names)}" if names else "nothing"
            hint = nearest(self.prompt, names)
            raise fault(self.path, number, found, f"a column {self.prompt!r} in the first line", hint)
        name, count = Counter(names).most_common(1)[0]
        if count > 1 or "" in names:
            found = f"{count} columns {name!r}" if count > 1 else "a column without a name"
            raise fault(self.path, number, found, "a name of its own for each column")
