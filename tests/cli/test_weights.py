"""``evalsuite weights``: what is here, and what an unknown name gets."""

from __future__ import annotations

from tests.conftest import Command


def test_list_says_what_is_here_and_what_for(evalsuite: Command) -> None:
    done = evalsuite("weights", "list")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.strip().startswith("inception-v3"))
    assert "95.6 MB" in line
    assert "extractor inception-v3" in line
    assert "EVALSUITE_WEIGHTS" in done.stdout


def test_an_unknown_name_offers_the_nearest(evalsuite: Command) -> None:
    done = evalsuite("weights", "fetch", "inception-v4")
    assert done.returncode == 2
    assert "did you mean 'inception-v3'" in done.stderr
