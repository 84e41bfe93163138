"""Fixtures of the profiling tests."""

from tests.profiling.scripted import one_process, scripted_plugins

__all__ = ["one_process", "scripted_plugins"]
