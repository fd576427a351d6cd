# Tarn's commands. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Without kept bytecode each of Airflow's and dbt's processes compiles thousands of modules anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install lock demo test test-quick check format bench up down restart logs shell airflow docs status clean

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PROJECTS := . emulators/bigquery emulators/publishers
LOCKFLAGS := --universal --python-version 3.11 --extra dev --extra docs --generate-hashes \
	--no-emit-package tarn-bigquery --no-emit-package tarn-publishers

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install everything into .venv, from the hashed lock

$(INSTALLED): requirements.lock pyproject.toml emulators/bigquery/pyproject.toml emulators/publishers/pyproject.toml scripts/install.sh
	@scripts/install.sh $(VENV) $(PROJECTS)
	@touch $@

lock: $(INSTALLED) ## Resolve the dependencies anew and write requirements.lock
	PATH="$$PWD/$(BIN):$$PATH" uv pip compile --quiet $(LOCKFLAGS) --custom-compile-command "make lock" pyproject.toml -o requirements.lock

demo: $(INSTALLED) ## Run the taxi lake end to end through Airflow, and leave its UI up
	@$(BIN)/tarn demo

test: $(INSTALLED) ## Run every test, with real Airflow, dbt and emulators
	@$(BIN)/pytest

test-quick: $(INSTALLED) ## Run the tests that need neither Airflow nor dbt to start
	@$(BIN)/pytest -m "not slow"

check: $(INSTALLED) ## Lint, check the format and the types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(INSTALLED) ## Format the code and mend what the linter can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(INSTALLED) ## Measure the lake's speed and memory, and print the figures
	@$(BIN)/python -m bench

up: $(INSTALLED) ## Start the local cloud and Airflow
	@$(BIN)/tarn up

down: $(INSTALLED) ## Stop them; no process stays behind
	@$(BIN)/tarn down

restart: down up ## Stop and start them

logs: $(INSTALLED) ## Follow the logs of every service
	@$(BIN)/tarn logs --follow

shell: $(INSTALLED) ## A shell in which airflow, dbt and Google's clients find the lake
	@eval "$$($(BIN)/tarn environment)"; PATH="$$PWD/$(BIN):$$PATH" exec "$${SHELL:-/bin/bash}"

airflow: $(INSTALLED) ## Run Airflow's command line: make airflow CMD="dags list"
	@eval "$$($(BIN)/tarn environment)"; PATH="$$PWD/$(BIN):$$PATH" exec $(BIN)/airflow $(CMD)

docs: $(INSTALLED) ## Generate dbt's docs of the marts and serve them
	@$(BIN)/tarn docs

status: $(INSTALLED) ## Show the services and where they listen
	@$(BIN)/tarn status

clean: ## Stop everything and delete all state: the lake's files, databases and logs
	@[ ! -x $(BIN)/tarn ] || $(BIN)/tarn down
	@rm -rf .tarn .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
