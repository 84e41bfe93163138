# evalsuite's front door. `make quickstart` needs python3 (3.11 or later), pip, git and a network for the installation.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Tests that time models want a core each; threads that wait leave it to the others.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help quickstart test lint examples benchmark clean

help:  ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | column -t -s ':'

# The stamps keep a second `make` from installing again; they go stale when what is installed changes.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet -e . -c constraints.txt
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet -e ".[test]" -c constraints.txt
	@touch $@ $(VENV)/.installed

quickstart: $(VENV)/.installed  ## Evaluate a teacher and its students; prints a table and the report's path
	$(BIN)/evalsuite run suites/quickstart.yaml

lint: $(VENV)/.installed-test  ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint  ## Everything that must hold: lint and the tests
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

examples: $(VENV)/.installed  ## Run every shipped suite whole
	set -e; for suite in suites/*.yaml; do $(BIN)/evalsuite run "$$suite"; done

benchmark: $(VENV)/.installed-test  ## Time the harness itself
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only

clean:  ## Remove the environment and the tools' caches; runs and the sample cache stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .benchmarks
