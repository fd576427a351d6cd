# Tarn's commands. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Without kept bytecode each of Airflow's and dbt's processes compiles thousands of modules anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install lock demo report docs-site ci test test-quick test-fake-gcs test-adapter doctor check format bench up down restart logs shell airflow docs status clean \
	compose-up compose-down compose-logs compose-shell compose-test fake-gcs-server

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

demo: $(INSTALLED) ## Run a pipeline end to end through Airflow, and leave its UI up: PIPELINE=taxi, crypto, customers, collisions, all
	@$(BIN)/tarn demo $(PIPELINE)

report: $(INSTALLED) ## Draw the marts as charts into one HTML file
	@$(BIN)/tarn report

# Airflow runs in one process of the tests while the other has all the rest.
PYTEST := $(BIN)/pytest --numprocesses 2 --no-loadscope-reorder

test: $(INSTALLED) ## Run every test, with real Airflow, dbt and emulators
	@$(PYTEST)

test-quick: $(INSTALLED) ## Run the tests that need neither Airflow nor dbt to start
	@$(PYTEST) -m "not slow"

test-fake-gcs: $(BIN)/fake-gcs-server ## Run the tests that need an object server against fake-gcs-server
	@$(PYTEST) --gcs fake-gcs-server

test-adapter: $(INSTALLED) ## Run the long part of dbt's adapter suite against the local BigQuery
	@$(BIN)/pytest -m adapter tests/bigquery/adapter

doctor: $(INSTALLED) ## Check this machine, or a Google Cloud project: make doctor TARGET=gcp
	@$(BIN)/tarn doctor $(if $(TARGET),--target $(TARGET))

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

docs-site: $(INSTALLED) ## Build the documentation as a site, into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

ci: check test ## What CI runs, but for the installation

status: $(INSTALLED) ## Show the services and where they listen
	@$(BIN)/tarn status

# With the profile `celery` two workers run the tasks, and what one step leaves for the next lies in the bucket.
PROFILES ?= publishers
STACK := COMPOSE_PROFILES=$(PROFILES) DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1
ifneq ($(findstring celery,$(PROFILES)),)
STACK += TARN_EXECUTOR=airflow.providers.celery.executors.celery_executor.CeleryExecutor \
	TARN_PARALLELISM=$${TARN_PARALLELISM:-4} \
	TARN_STAGING=$${TARN_STAGING:-gs://$${TARN_BUCKET:-tarn-lake}/.staging}
endif
ifneq ($(findstring observability,$(PROFILES)),)
STACK += TARN_METRICS=True
endif
COMPOSE = $$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
EVERY_PROFILE := COMPOSE_PROFILES=publishers,celery,observability

compose-up: ## Start the whole lake in containers, and wait until it is healthy; PROFILES=publishers,celery for workers
	@python3 scripts/compose_env.py .env
	@$(STACK) $(COMPOSE) up --detach --build
	@python3 scripts/compose_wait.py
	@echo "Airflow is at http://127.0.0.1:$${TARN_AIRFLOW_PORT:-8080}: user admin, password TARN_AIRFLOW_PASSWORD of .env"

compose-down: ## Stop the containers; their volumes stay
	@$(EVERY_PROFILE) $(COMPOSE) down --remove-orphans

compose-logs: ## Follow the containers' logs
	@$(EVERY_PROFILE) $(COMPOSE) logs --follow --tail 100

compose-shell: ## A shell among the containers, in which tarn, airflow and dbt find the lake
	@$(COMPOSE) exec scheduler bash

compose-test: $(INSTALLED) ## Run a taxi month through the containers from inside, then one from outside
	@$(COMPOSE) exec -T scheduler python deploy/compose/taxi_month.py 2020-04 < .env
	@TARN_GCS_ENDPOINT=http://127.0.0.1:$${TARN_GCS_PORT:-4443} \
	TARN_BIGQUERY_ENDPOINT=http://127.0.0.1:$${TARN_BIGQUERY_PORT:-9050} \
	TARN_PUBLISHERS=http://127.0.0.1:$${TARN_PUBLISHERS_PORT:-8070} \
	$(BIN)/python deploy/compose/taxi_month.py --airflow http://127.0.0.1:$${TARN_AIRFLOW_PORT:-8080} --steps 2020-05 < .env

fake-gcs-server: $(BIN)/fake-gcs-server ## Build fake-gcs-server with Go into .venv, for the tests that run against it too

$(BIN)/fake-gcs-server: $(INSTALLED)
	@GOBIN=$$PWD/$(BIN) go install github.com/fsouza/fake-gcs-server@v1.56.1
	@touch $@

clean: ## Stop everything and delete all state: the lake's files, databases and logs
	@[ ! -x $(BIN)/tarn ] || $(BIN)/tarn down
	@rm -rf .tarn .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
