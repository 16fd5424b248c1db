# `make help` lists what there is. Everything installs what it needs into .venv first.

PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Processes that share the tests: one more than two cores, because much of the suite waits; a fourth only competes.
WORKERS ?= 3
SUITE := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov

.PHONY: help run demo docs site screenshots test test-all mutate check coverage freqtrade soak compose-check bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: $(VENV)/.runtime ## start the service at http://localhost:8888 with its embedded database
	@$(BIN)/python -m backend serve

demo: $(VENV)/.runtime ## sync and read simulated exchanges, without internet
	@$(BIN)/python -m tests.simulator.demo $(if $(STAY),--stay)

docs: $(VENV)/.runtime ## write the pages that are made from the code: docs/reference/ and .env.example
	@$(BIN)/python -m reference

site: $(VENV)/.dev ## the documents as a website in build/site
	@rm -rf build && mkdir -p build/documents
	@cp --parents *.md benchmarks/README.md docker/prometheus/*.yml build/documents && cp -r docs build/documents
	@$(BIN)/mkdocs build --strict --quiet
	@echo "open build/site/README.html"

screenshots: $(VENV)/.dev ## take the documents' pictures of the page, from simulated exchanges; needs Chromium
	@$(BIN)/python -m tests.page.screenshots

test: check ## lint, types, and every test that decides in seconds: about five minutes
	@$(SUITE) -m "not long" --cov-report=

test-all: $(VENV)/.dev ## what `make test` leaves out: the long tests, more examples, branch coverage of both, mutations
	@test -f .coverage || $(MAKE) --no-print-directory test
	@$(SUITE) -m "long or hypothesis" --hypothesis-profile=thorough --cov-append --cov-report=term --cov-fail-under=98
	@rm -f .coverage
	@$(MAKE) --no-print-directory mutate

mutate: $(VENV)/.dev ## put faults into a copy of the code, one at a time: a test must notice each
	@$(BIN)/python -m tests.mutations

check: $(VENV)/.dev ## lint, types and the website of the documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory site >/dev/null

coverage: $(VENV)/.dev ## the suite, with an HTML report of branch coverage in htmlcov/
	@$(SUITE) --hypothesis-profile=thorough --cov-report=html
	@echo "open htmlcov/index.html"

freqtrade: $(VENV)/.dev $(VENV)-freqtrade/.installed ## let freqtrade download from the service; installs it, about 90 seconds and 800 MB
	@FREQTRADE=$(VENV)-freqtrade/bin/freqtrade $(BIN)/python -m pytest -q tests/integration/test_bots_freqtrade.py

soak: $(VENV)/.dev ## the long forms of the tests that take long, half an hour
	@KILL_ROUNDS=50 PRIMARY_ROUNDS=10 EXAMPLES=150 SOAK_SECONDS=600 STORM_ALARMS=1000 $(BIN)/python -m pytest -q \
		tests/integration/test_jobs.py tests/integration/test_extraction_kills.py tests/integration/test_order_kills.py tests/integration/test_alarm_kills.py tests/integration/test_alarm_storm.py tests/integration/test_crashes.py tests/integration/test_replica_set.py \
		tests/integration/test_openapi.py tests/integration/test_soak.py tests/soak --timeout=1200

compose-check: $(VENV)/.dev ## the compose file on a Docker engine; as root on Debian it can bring its own
	@$(BIN)/python -m tests.compose

bench: $(VENV)/.dev ## the benchmarks, some minutes
	@$(BIN)/python -m benchmarks.ingest
	@$(BIN)/python -m benchmarks.read
	@$(BIN)/python -m benchmarks.small_reads
	@$(BIN)/python -m benchmarks.zoomed_out
	@$(BIN)/python -m benchmarks.topup
	@$(BIN)/python -m benchmarks.orders
	@$(BIN)/python -m benchmarks.alarms
	@$(BIN)/python -m benchmarks.extended
	@$(BIN)/python -m benchmarks.thin
	@$(BIN)/python -m benchmarks.budget
	@$(BIN)/python -m benchmarks.archive
	@$(BIN)/python -m benchmarks.load
	@$(BIN)/python -m benchmarks.many
	@$(BIN)/python -m benchmarks.frames
	@$(BIN)/python -m benchmarks.page
	@$(BIN)/python -m benchmarks.history 5000
	@$(BIN)/python -m benchmarks.history_pages

clean: ## remove .venv and what tests leave behind; ./data stays
	@rm -rf build $(VENV) $(VENV)-freqtrade htmlcov .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .compose-check
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is needed: on Debian and Ubuntu, apt install python3-venv"; exit 1; }

$(VENV)/.runtime: requirements.txt requirements-embedded.txt requirements-extended.txt | $(BIN)/python
	@echo "installing what the service runs on ..."
	@$(PIP) -r requirements.txt -r requirements-embedded.txt -r requirements-extended.txt
	@touch $@

$(VENV)-freqtrade/.installed: requirements-freqtrade.txt
	@echo "installing freqtrade into $(VENV)-freqtrade ..."
	@$(PYTHON) -m venv $(VENV)-freqtrade
	@$(VENV)-freqtrade/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-freqtrade.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@
