# `make` alone lists the targets. A target is listed by the comment after its name.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
DEV := .venv-dev
export PYTHONUNBUFFERED := 1
# What only one recipe needs from the environment of make would otherwise reach every test.
unexport MAKEFLAGS MAKELEVEL MFLAGS

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ## start the service (PORT=…, HOST=…; Ctrl-C stops it)
	@scripts/venv '$(VENV)' requirements.lock
	@exec '$(VENV)/bin/python' -m service run

.PHONY: test
test: ## run every test that can run on this machine (ARGS=… for pytest)
	@scripts/venv '$(DEV)' requirements-dev.lock
	@'$(DEV)/bin/python' -m pytest $(ARGS)

.PHONY: bench
bench: ## count what observability costs, as ratios (ARGS='--only bare,contrib,chain')
	@scripts/venv '$(DEV)' requirements-dev.lock
	@'$(DEV)/bin/python' -m benchmarks.overhead $(ARGS)

.PHONY: bench-scrub
bench-scrub: ## time the scrubber beside others, as ratios (installs 600 MB once)
	@scripts/venv .venv-scrubbers requirements-scrubbers.lock
	@.venv-scrubbers/bin/python -W ignore -m benchmarks.scrub

.PHONY: bench-collector
bench-collector: ## what scrubbing costs in the collector (ARGS='--rounds 3')
	@scripts/venv '$(DEV)' requirements-dev.lock
	@nice -n 5 '$(DEV)/bin/python' -m benchmarks.collector $(ARGS)

.PHONY: bench-llm
bench-llm: ## what the language model side costs, holds and leaks (ARGS='--only streams,start'; half an hour)
	@scripts/venv '$(DEV)' requirements-dev.lock
	@'$(DEV)/bin/python' -m benchmarks.llm $(ARGS)

.PHONY: bench-redis
bench-redis: ## what limits over Redis cost, hold and survive (needs redis-server; ARGS='--only cost')
	@scripts/venv '$(DEV)' requirements-dev.lock
	@'$(DEV)/bin/python' -m benchmarks.redis $(ARGS)

.PHONY: fuzz
fuzz: ## a million strings on which the scrubber must not contradict itself (ARGS='--seed 7')
	@scripts/venv '$(DEV)' requirements-dev.lock
	@'$(DEV)/bin/python' -m tests.pii.fuzzing $(ARGS)

.PHONY: parity
parity: ## a million strings that Python and the collector must scrub alike (ARGS='--seed 7')
	@scripts/venv '$(DEV)' requirements-dev.lock
	@nice -n 5 '$(DEV)/bin/python' -m tests.stack.parity $(ARGS)

.PHONY: kills
kills: ## kill the collector under load, with healthy, refusing and slow back ends (ARGS='--kills 8')
	@scripts/venv '$(DEV)' requirements-dev.lock
	@nice -n 5 '$(DEV)/bin/python' -m tests.stack.kills $(ARGS)

.PHONY: hostile
hostile: ## send the collector what is made to hurt it, and measure that (ARGS='--only NaN')
	@scripts/venv '$(DEV)' requirements-dev.lock
	@nice -n 5 '$(DEV)/bin/python' -m tests.stack.hostile $(ARGS)
	@nice -n 5 '$(DEV)/bin/python' -m tests.stack.crowd $(ARGS)

.PHONY: stack-binaries
stack-binaries: ## build the real collector, Jaeger, Prometheus and Loki (Go; ONLY=collector builds one)
	@scripts/stack-binaries $(ONLY)

.PHONY: lint
lint: ## ruff, mypy and the import contracts
	@scripts/venv '$(DEV)' requirements-dev.lock
	'$(DEV)/bin/python' -m ruff check .
	'$(DEV)/bin/python' -m ruff format --check .
	'$(DEV)/bin/python' -m mypy
	'$(DEV)/bin/python' '$(DEV)/bin/lint-imports'

.PHONY: fmt
fmt: ## format the code and fix what ruff can fix
	@scripts/venv '$(DEV)' requirements-dev.lock
	'$(DEV)/bin/python' -m ruff check --fix-only .
	'$(DEV)/bin/python' -m ruff format .

.PHONY: lock
lock: ## resolve the lock files anew (ARGS=--upgrade for newer versions)
	@scripts/venv '$(DEV)' requirements-dev.lock
	@scripts/lock '$(DEV)/bin/uv' $(ARGS)

.PHONY: generate
generate: ## write every generated file anew
	@scripts/venv '$(DEV)' requirements-dev.lock
	'$(DEV)/bin/python' -m service openapi > openapi.json.new
	mv openapi.json.new openapi.json
	'$(DEV)/bin/python' -m telemetry.collector render --write
