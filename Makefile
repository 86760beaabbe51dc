.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .uv/bin/uv
BIN := .venv/bin
export GOLDTHREAD_HOME ?= $(CURDIR)/.goldthread
export DAGSTER_HOME ?= $(GOLDTHREAD_HOME)/dagster
export DO_NOT_TRACK := 1

.PHONY: help demo demo-public test unit check fmt lint types imports sql dev serve bench clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.venv/.ready: pyproject.toml uv.lock
	@test -x $(UV) || { $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv==0.13.9; }
	$(UV) sync --quiet --python $(PYTHON) --locked --compile-bytecode --extra sandbox
	@$(BIN)/python -m compileall -q connectors hub orchestration sandbox warehouse # 0.3 s of each command where Python keeps none
	@touch $@

demo: .venv/.ready ## start the sandbox company, run the whole line, publish and explain the warehouse
	$(BIN)/goldthread demo

demo-public: .venv/.ready ## the same line over public data: make demo-public DATA=dir
	@test -n "$(DATA)" || { echo "say where the data lies: make demo-public DATA=dir (see examples/public-sales/README.md)"; exit 2; }
	PUBLIC_SALES_DATA="$(abspath $(DATA))" GOLDTHREAD_HOME=$(CURDIR)/.goldthread/public-sales DAGSTER_HOME= \
	  $(BIN)/goldthread --project examples/public-sales run

test: .venv/.ready ## every test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

unit: .venv/.ready ## only the fast tests
	$(BIN)/pytest -n 2 --dist loadfile -m "not generated" tests/unit

check: fmt lint types imports sql ## format, lint, types, import rules, SQL style

fmt: .venv/.ready ## ruff: whether the code is formatted
	$(BIN)/ruff format --check .

lint: .venv/.ready ## ruff: what is wrong or risky in the code
	$(BIN)/ruff check .

types: .venv/.ready ## mypy: types
	$(BIN)/mypy

imports: .venv/.ready ## which package may import which
	$(BIN)/lint-imports

sql: .venv/.ready ## sqlfluff: style of the models
	$(BIN)/sqlfluff lint --processes 2 dbt_project/models

dev: .venv/.ready ## the Dagster UI at http://localhost:3000
	@mkdir -p $(DAGSTER_HOME) && cp dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	VIRTUAL_ENV=$(CURDIR)/.venv PATH="$(CURDIR)/.venv/bin:$$PATH" dg dev

serve: .venv/.ready ## run the sandbox company's systems until you press Ctrl-C
	$(BIN)/goldthread sandbox serve

bench: .venv/.ready ## measure, side by side with peers (results below bench/results)
	$(UV) sync --quiet --python $(PYTHON) --locked --inexact --compile-bytecode --extra sandbox --group bench
	$(BIN)/python -m bench

clean: ## remove environments, stores and caches
	rm -rf .venv .uv .goldthread .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dbt_project/target dbt_project/logs
