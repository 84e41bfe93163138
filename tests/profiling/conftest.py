"""Fixtures of the profiling tests."""

from tests.profiling.scripted import scripted_plugins

__all__ = ["scripted_plugins"]
