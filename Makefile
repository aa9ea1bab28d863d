# `make demo` sets everything up and lets a caller ring; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help setup demo up check unit test bench-latency bench-capacity docs clean
FILE ?= examples/airline/ccaas.yaml
BIN := .venv/bin
CODE := ccaas plugins bench tools tests contrib
# Types: everything but the tests, whose fixtures and fakes are checked by running them.
TYPED := ccaas plugins bench tools

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: ## Set everything up in .venv and .cache (no root; the second time takes a second)
	@sh tools/bootstrap.sh demo

demo: ## A real SIP caller changes a flight by talking; the terminal shows it
	@sh tools/bootstrap.sh demo
	@$(BIN)/ccaas demo

up: ## Run the installation of FILE until Ctrl-C, for your own softphone
	@sh tools/bootstrap.sh run
	@$(BIN)/ccaas up $(FILE)

check: ## Format, lint, types and unit tests
	@sh tools/bootstrap.sh test
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/ruff check --quiet $(CODE)
	$(BIN)/mypy $(TYPED)
	$(BIN)/pytest tests/unit

test: ## All tests, with a real Asterisk and real speech
	@sh tools/bootstrap.sh test
	$(BIN)/pytest

bench-latency: ## Voice-to-voice latency over SIP (SET=folder OUT=file.json CALLS=n)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.latency $(if $(SET),--set $(SET)) $(if $(OUT),--out $(OUT)) $(if $(CALLS),--calls $(CALLS)) $(ARGS)

bench-capacity: ## How many conversations this machine holds (OUT=file.json)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.capacity $(if $(OUT),--out $(OUT)) $(ARGS)

docs: ## Write the generated tables of docs/ again
	@sh tools/bootstrap.sh test
	@$(BIN)/python tools/generate_docs.py

clean: ## Remove everything that was set up or written at run time
	@sh tools/clean.sh
