.DEFAULT_GOAL := help
.PHONY: help setup lock up test verify chaos fuzz audit check format

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## both Python environments, from their locks
	@scripts/setup

up: setup ## everything on this machine, until Ctrl-C
	@exec .venv/bin/praja up

test: setup ## lint, types, room borders, and every test that takes under ten minutes
	@scripts/test

verify: setup ## the long tests: kills, every service, browsers, speed
	@scripts/verify

chaos: setup ## 2,000 messages while every part is killed, paused and cut off; under ten minutes
	@scripts/chaos

fuzz: setup ## fuzz every parser at a border, FUZZ_SECONDS=3600 in all
	@scripts/fuzz

audit: setup ## known vulnerabilities of everything in both locks
	@scripts/audit

check: setup ## lint, types and room borders only
	@scripts/check

format: setup ## format the code
	@.venv/bin/ruff check --quiet --fix . ; .venv/bin/ruff format --quiet .

lock: setup ## compile the locks anew after a change of a pyproject.toml
	@scripts/lock
