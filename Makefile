# What one does with treering. `make help` lists it; `make dev` is the place to start.
# Everything lives in .bootstrap/ (uv), .venv/ (the project) and .treering/ (the servers' data).

PYTHON := 3.13
POSTGRES_15 ?= /usr/lib/postgresql/15/bin
BIN := .venv/bin
INSTALLED := .venv/.installed
UV := .bootstrap/bin/python scripts/uv.py
PYTEST = $(BIN)/$(if $(MEASURED),coverage run -m,python -m) pytest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help dev test test-pg15 coverage check demo chaos chaos-rolling bench-store bench-commands bench-freshness bench-http bench-live bench-projections bench-rebuild schemas lock wheel clean

help: ## list what make can do here
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

dev: $(INSTALLED) ## start everything on http://127.0.0.1:8000 (PORT= and TREERING_* are honoured)
	@$(BIN)/treering dev

test: $(INSTALLED) ## run all tests, on servers of their own (ARGS= for pytest)
	@$(PYTEST) $(ARGS)

test-pg15: $(INSTALLED) ## the same on PostgreSQL 15, the oldest supported
	@test -x '$(POSTGRES_15)/initdb' || { echo "PostgreSQL 15 is not in $(POSTGRES_15): install it (Debian: apt-get install postgresql-15) or name its folder, make test-pg15 POSTGRES_15=/its/bin." >&2; exit 1; }
	@TREERING_TEST_POSTGRES_BIN='$(POSTGRES_15)' $(PYTEST) $(ARGS)

coverage: $(INSTALLED) ## whether the last measured run (make test MEASURED=1) covered enough
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under 95
	@$(BIN)/coverage report --fail-under 100 --include 'src/treering/domain/*,src/treering/store/*'

check: $(INSTALLED) ## formatting, lint, types, import contracts, schemas, docs; runs no service
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/treering schemas check
	@$(BIN)/python -m scripts.sizes
	@$(BIN)/python -m pytest --quiet tests/test_house.py tests/docs/test_reference.py

demo: $(INSTALLED) ## a scripted tour, of the running `make dev` or of one of its own
	@$(BIN)/python -m treering.demo

chaos: $(INSTALLED) ## kill everything under load, then count (SECONDS= for a shorter run)
	@$(BIN)/python -m benchmarks.chaos $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

chaos-rolling: $(INSTALLED) ## two releases side by side under load, and back (SECONDS= for a shorter run)
	@$(BIN)/python -m benchmarks.rolling $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

bench-store: $(INSTALLED) ## appends and loads, beside their peers
	@$(BIN)/python -m benchmarks.store

bench-commands: $(INSTALLED) ## commands, relay and HTTP, beside their peers
	@$(BIN)/python -m benchmarks.commands; first=$$?; $(BIN)/python -m benchmarks.relay && exit $$first

bench-freshness: $(INSTALLED) ## whether anybody reads what is older than what they wrote (PAIRS=)
	@$(BIN)/python -m benchmarks.freshness $(if $(PAIRS),--pairs $(PAIRS))

bench-http: $(INSTALLED) ## HTTP beside chapkit, beside FastAPI with SQLAlchemy, and files beside COPY
	@$(BIN)/python -m benchmarks.gateway; first=$$?; $(BIN)/python -m benchmarks.gateway --apart post; \
	$(BIN)/python -m benchmarks.exporting && exit $$first

bench-live: $(INSTALLED) ## thousands who listen over HTTP, and as many who hear nothing
	@$(BIN)/python -m benchmarks.live

bench-projections: $(INSTALLED) ## read models that catch up and are rebuilt, beside their peers
	@$(BIN)/python -m benchmarks.projections

bench-rebuild: $(INSTALLED) ## a read model of 1M rows rebuilt under load, its builder killed (ROWS=)
	@$(BIN)/python -m benchmarks.rebuilding $(if $(ROWS),--rows $(ROWS))

schemas: $(INSTALLED) ## write schemas/ anew from the registered types
	@$(BIN)/treering schemas write

lock: .bootstrap/.installed ## resolve pyproject.toml into requirements.lock (UPGRADE=1 for the newest)
	@$(UV) pip compile pyproject.toml --extra embedded --group dev --universal --python-version 3.12 \
		--generate-hashes --no-annotate --custom-compile-command 'make lock' --quiet \
		$(if $(UPGRADE),--upgrade) --output-file requirements.lock

wheel: $(INSTALLED) ## build the wheel and the sdist into dist/
	@$(BIN)/python -m hatchling build

clean: ## remove what was built and measured; keeps .venv/ and the data in .treering/
	@rm -rf dist .coverage .coverage.* htmlcov .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(INSTALLED): .venv/.locked pyproject.toml hatch_build.py
	@$(UV) pip install --python .venv --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.locked: .bootstrap/.installed requirements.lock
	@sh scripts/venv.sh '$(PYTHON)'
	@echo 'installing into .venv …'
	@$(UV) pip sync --quiet --python .venv requirements.lock
	@touch $@

.bootstrap/.installed: scripts/bootstrap.sh
	@sh scripts/bootstrap.sh
	@touch $@
