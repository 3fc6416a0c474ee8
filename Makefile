# Everything runs in .venv; servers and programs that the tests need are built
# once into a cache outside the tree (see tests/tools/README.md).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help install demo test lint docs conformance integration chart manifests bench tools image dist sbom kind kind-try kind-down requirements clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

$(VENV)/runtime: requirements/runtime.txt requirements/build.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements/runtime.txt -r requirements/build.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements/dev.txt
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

install: $(VENV)/dev ## everything a developer needs, in .venv

demo: $(VENV)/runtime ## the main job on a cluster in memory: no cluster, registry or root needed
	@$(BIN)/imagecompat demo

test: $(VENV)/dev ## every suite; ends with a table of suite, tests, skipped, seconds
	@$(RUN) tests/run.py

lint: $(VENV)/dev ## formatting, style, types, layers, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/zizmor --offline --quiet --persona pedantic .github

conformance: $(VENV)/dev ## the corpus and 20,000 generated cases against NFD, 20,000 each against kube-scheduler and NFD's reading of processors
	@$(RUN) tests/conformance/replay.py tests/conformance/cases/nfd-corpus.jsonl.gz
	@$(RUN) tests/conformance/replay.py --engine index tests/conformance/cases/nfd-corpus.jsonl.gz
	@$(RUN) tests/conformance/live.py --cases 20000
	@IMAGECOMPAT_CASES=20000 $(BIN)/pytest -q tests/conformance/test_scheduling_live.py tests/conformance/test_cpu_live.py

integration: $(VENV)/dev ## real etcd, kube-apiserver, registries and kubectl
	@$(RUN) tests/run.py integration

chart: $(VENV)/dev ## the chart, rendered by Helm 3 and 4 and put before a real API server
	@$(RUN) tests/run.py chart

manifests: $(VENV)/dev ## writes the chart's schema and README, its self-test, and manifests/
	@PYTHONPATH=. $(RUN) tests/chart/generate.py

bench: $(VENV)/dev ## one JSON line per figure; ROWS="NAME ..." for some
	@$(RUN) -m bench $(ROWS)

docs: $(VENV)/dev ## writes the pages that come from the code
	@PYTHONPATH=. $(RUN) tests/docs/generate.py

tools: $(VENV)/dev ## builds the servers and programs that the tests need
	@$(RUN) tests/tools/build.py

image: ## builds the production image imagecompat:dev (needs Docker and git)
	@$(PYTHON) hack/image.py imagecompat:dev -- --load

EPOCH = $(shell git log -1 --format=%ct)
sbom: $(VENV)/dev ## writes dist/imagecompat.cdx.json, what the image installs
	@SOURCE_DATE_EPOCH=$(EPOCH) $(RUN) hack/sbom.py dist/imagecompat.cdx.json

dist: sbom ## wheel and source distribution too; the same commit gives the same bytes
	@SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/hatchling build --directory dist

kind: $(VENV)/runtime ## a kind cluster with NFD, the chart and the demo's images (needs Docker, kind, kubectl, Helm)
	@$(RUN) hack/kind.py up

kind-try: $(VENV)/runtime ## asks it: one Pod that fits, one that does not
	@$(RUN) hack/kind.py try

kind-down: $(VENV)/runtime ## removes the cluster and its registry
	@$(RUN) hack/kind.py down

PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
requirements: $(VENV)/dev ## resolves the pinned requirements again; UPGRADE=--upgrade for newer ones
	$(BIN)/pip install --quiet uv
	$(PIN) $(UPGRADE) pyproject.toml -o requirements/runtime.txt
	$(PIN) $(UPGRADE) --group build -o requirements/build.txt
	$(PIN) $(UPGRADE) --group go -o requirements/go.txt
	$(PIN) $(UPGRADE) pyproject.toml --group build --group lint --group release --group test -o requirements/dev.txt

clean: ## removes .venv and caches in the tree
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
