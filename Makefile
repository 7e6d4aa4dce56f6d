# Every target makes what it needs: an environment in .venv, from the locks in requirements/, with uv
# where there is one and with venv and pip otherwise. Python 3.11 or newer and make are enough.

VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= seamline.toml
UV ?= $(shell command -v uv 2>/dev/null)
# The first Python that is new enough; name another one with PYTHON=...
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)

# Interpreters come from the machine, never from the network.
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help demo serve test lint bench soak fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s  %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.dev ## play bets against a gateway of your own, with nothing to set up
	$(BIN)/seamline demo

serve: $(VENV)/.dev ## run the gateway: make serve CONFIG=seamline.toml
	$(BIN)/seamline serve -c $(CONFIG)

test: lint ## check everything: style, types, layers, laws
	$(BIN)/pytest -q -n 2 -m "not slow"

soak: lint ## the same, with more rounds of the slow laws
	$(BIN)/pytest -q -n 2

lint: $(VENV)/.dev ## check style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fmt: $(VENV)/.dev ## write the code in the house format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: $(VENV)/.bench ## measure this machine; results are printed
	$(BIN)/python bench/run.py

clean: ## remove the environment and all caches; databases in var/ stay
	rm -rf $(VENV) dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The bench lock holds all of the dev lock, so its environment serves both.
$(VENV)/.dev: requirements/dev.txt pyproject.toml
	$(call environment,dev)

$(VENV)/.bench: requirements/bench.txt pyproject.toml
	$(call environment,bench)

define environment
	@rm -f $(VENV)/.dev $(VENV)/.bench
	@if [ -n "$(UV)" ]; then \
		set -e; \
		[ -x $(BIN)/python ] || "$(UV)" venv -q --python '>=3.11' $(VENV); \
		"$(UV)" pip sync -q --python $(BIN)/python --require-hashes requirements/$(1).txt; \
		"$(UV)" pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
		set -e; \
		[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed: name one with PYTHON=..." >&2; exit 2; }; \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV); \
		$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/$(1).txt; \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@touch $(if $(filter bench,$(1)),$(VENV)/.dev) $(VENV)/.$(1)
endef
