# Two commands do all the set-up on a fresh machine with Python 3.11+, git and make: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test e2e lint simulate fuzz bench docs format clean

help: ## what there is to make
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## /  make \1\t/' | expand -t 18

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "deploygate needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY) ## deploy, fail and roll back on a fleet of real processes
	$(BIN)/deploygate demo

test: $(READY) ## all tests, but for those on servers and the long simulation
	$(BIN)/pytest -n 2

e2e: $(READY) ## tests on real servers, which it installs (INSTALL=no: takes those that are there)
	$(BIN)/python tests/e2e/parts.py $(if $(filter no,$(INSTALL)),--look)
	$(BIN)/pytest tests/e2e -n 2 --dist loadfile $(ARGS)

lint: $(READY) ## ruff, mypy, the layers, shellcheck, the Action, the workflows, the links of the docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck --external-sources $$(git ls-files '*.sh')
	$(BIN)/hadolint Dockerfile
	$(BIN)/python tools/lint_workflows.py
	$(BIN)/lychee --offline --include-fragments --no-progress --quiet README.md docs
	$(BIN)/codespell README.md docs src action.yml Dockerfile .github examples tools/*.py

simulate: $(READY) ## 100,000 simulated rollouts with faults (COUNT=..., SEED=...)
	PYTHONPATH=tests $(BIN)/python -m simulation --count $(or $(COUNT),100000) --seed $(or $(SEED),1)

fuzz: $(READY) ## ten minutes of atheris, bytes to findings to reports (TIME=... in seconds)
	$(BIN)/python tests/fuzz --time $(or $(TIME),600)

bench: $(READY) ## a roll beside ansible, pyinfra, fabric and bare loops, as ratios
	$(BIN)/python bench/bench.py $(ARGS)

docs: $(READY) ## write the parts of the docs that are generated (ARGS=--check: only compare)
	$(BIN)/python docs/generate.py $(ARGS)

format: $(READY) ## ruff's formatter, and its safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what make has made
	rm -rf $(VENV) bench/.bench .fuzz tests/e2e/.cache tools/workflow-lint/node_modules .hypothesis .mypy_cache .ruff_cache
