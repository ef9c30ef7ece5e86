# The lab's two verbs for whoever learns (lab, demo), and those for whoever works on it.
# Everything is installed into .venv and nowhere else; it is renewed when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
WORKSPACE ?= workspace

# Tests find the labkit, and the kubectl, that belong to this checkout.
WITH_TOOLS := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: help lab demo install test check fix bench reliability notebooks clean
.DEFAULT_GOAL := help

help: ## What can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

lab: $(VENV)/.lab ## Start the lab and open its first notebook (Ctrl-C stops it)
	@$(BIN)/labkit init $(WORKSPACE)
	@$(BIN)/labkit lab --lab $(WORKSPACE)

demo: $(VENV)/.lab ## See the whole loop once, in the terminal; ends by itself
	@$(BIN)/labkit demo

install: $(VENV)/.dev ## Install the lab with what its tests need

test: check ## Everything: check, the tests, the notebooks
	@$(WITH_TOOLS) $(BIN)/python -m pytest -n 2 --dist loadfile tests

check: $(VENV)/.dev ## Style, types, architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports >/dev/null || $(BIN)/lint-imports

fix: $(VENV)/.dev ## Mend what can be mended by machine
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check .

notebooks: $(VENV)/.dev ## Run the notebooks and store what they show, which the tests compare with
	@$(WITH_TOOLS) $(BIN)/python tests/support/notebook_runs.py $(NOTEBOOKS)

lessons: $(VENV)/.dev ## Make the lessons' notebooks from their texts, and run them
	@$(BIN)/python -m tests.notebooks.renew

bench: $(VENV)/.dev ## How fast, how small: one table
	@$(WITH_TOOLS) $(BIN)/python -m benchmarks

reliability: $(VENV)/.dev ## The reliability tests in their long form: half an hour, with figures
	@$(WITH_TOOLS) LABKIT_LONG=1 $(BIN)/python -m pytest -s tests/reliability

clean: ## Remove what was made here; the workspace, which is yours, stays
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './$(WORKSPACE)/*' -prune -exec rm -rf {} +

# The stamps are touched last: an installation that was interrupted is done again.

$(VENV)/.lab: pyproject.toml $(BIN)/python
	@test -e $(VENV)/.dev || { echo "Installing the lab into $(VENV) (once; about a minute) …"; $(PIP) install -e .; }
	@test ! -e $(VENV)/.dev || $(PIP) install -e '.[dev]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(BIN)/python
	@echo "Installing the lab and its tests' tools into $(VENV) (once; about a minute) …"
	@$(PIP) install -e '.[dev]'
	@touch $(VENV)/.lab $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "The lab needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -1)."; \
	  echo "Fix: install one (https://www.python.org/downloads), then name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
	  exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) >/dev/null || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' failed."; \
	  echo "Fix: on Debian and Ubuntu, sudo apt install python3-venv; then again."; \
	  exit 1; }
