# Everything a newcomer needs: `make run` and `make test`. Paths are relative, so that the clone
# may stand in a folder with a space in its name.

PYTHON ?= python3
VENV := .venv/bin/python
ARGS ?=
SHELL := /bin/sh
# A bank is many processes: without compiled modules each of them compiles two thousand anew.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help install install-dev run test test-servers lint format types contracts architecture \
	tamper bench screenshots lock doors clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

install: ## Install what a run needs into .venv
	@$(PYTHON) deploy/install.py

install-dev: ## Install what the tests need, too
	@$(PYTHON) deploy/install.py --dev
	@$(VENV) -m tests.conformance.bpmn_engine

run: install ## Run the bank with a sample bank in it (ARGS="--port 8080 --customers 40 --fresh")
	@$(VENV) manage.py up $(ARGS)

test: install-dev ## Run the whole suite, ring by ring
	@$(VENV) -m tests.rings $(ARGS)

test-servers: install-dev ## Run the server-mode ring (DATABASE_URL, BROKER_URL, CHANNELS_URL)
	@$(VENV) -m tests.rings --servers $(ARGS)

lint: install-dev ## Check style
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .

format: install-dev ## Put every file into the house style
	@$(VENV) -m ruff check --fix .
	@$(VENV) -m ruff format .

types: install-dev ## Check types
	@$(VENV) -m mypy .

contracts: install-dev ## Check who may import whom
	@$(VENV) -m deploy.contracts

architecture: install-dev ## Check what the import contracts cannot see
	@$(VENV) -m pytest tests/architecture -q

tamper: install ## Edit a past record as the database's superuser (see the story in README.md)
	@$(VENV) manage.py tamper $(ARGS)

bench: install ## Measure the hot paths beside their limits (ARGS="authorize --json")
	@$(VENV) manage.py bench $(ARGS)

screenshots: install-dev ## Take the pictures of the README
	@$(VENV) manage.py screenshots $(ARGS)

lock: install-dev ## Resolve the requirements anew (needs `uv`)
	@uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -q -o requirements.lock
	@uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements-dev.lock

doors: install-dev ## Freeze the names each layer's door offers, after a deliberate change
	@$(VENV) -m tests.architecture.doors

clean: ## Remove what installs and tests made; the bank's own data in var/ stays
	@rm -rf .venv node_modules tests/conformance/peer/node_modules static/vendor staticfiles \
		.pytest_cache .mypy_cache .ruff_cache
