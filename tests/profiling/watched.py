"""A subject that tells which packages its model imports."""

from __future__ import annotations

import sys

from evalsuite.profiling.subject import Subject


class Watched(Subject):
    def packages_of_load(self) -> set[str]:
        """Those that were not there before the model was loaded, Python's own apart."""
        before = packages()
        self.load()
        return packages() - before - sys.stdlib_module_names

    def load_bytes(self) -> int:
        return self.load_peak.process


def packages() -> set[str]:
    return {name.partition(".")[0] for name in sys.modules}
