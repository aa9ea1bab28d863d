# `make demo` sets everything up and lets a caller ring; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help setup demo up check unit test bench-latency bench-capacity bench-context bench-handoff docs clean
FILE ?= examples/airline/ccaas.yaml
BIN := .venv/bin
# How many unit tests run side by side in `make check`; 0: one after the other.
WORKERS ?= auto
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
	$(BIN)/pytest tests/unit -n $(WORKERS)

test: ## All tests, with a real Asterisk and real speech
	@sh tools/bootstrap.sh test
	$(BIN)/pytest

bench-latency: ## Voice-to-voice latency over SIP (SET=folder OUT=file.json CALLS=n)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.latency $(if $(SET),--set $(SET)) $(if $(OUT),--out $(OUT)) $(if $(CALLS),--calls $(CALLS)) $(ARGS)

bench-capacity: ## How many conversations this machine holds (OUT=file.json)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.capacity $(if $(OUT),--out $(OUT)) $(ARGS)

bench-context: ## The one brain with 5 million facts (OUT=file.json ARGS="--customers 1000000 --facts 5000000")
	@sh tools/bootstrap.sh test
	@$(BIN)/python -m bench.context $(if $(OUT),--out $(OUT)) $(ARGS)

bench-outreach: ## One event that affects 10,000 customers; ARGS="--kills 50 --plays 200": killed at random points (OUT=file.json)
	@sh tools/bootstrap.sh run
	@$(BIN)/python -m bench.outreach $(if $(OUT),--out $(OUT)) $(ARGS)

bench-dialler: ## A simulated week of a campaign in each mode (OUT=file.json ARGS="--real --minutes 10")
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.dialler $(if $(OUT),--out $(OUT)) $(ARGS)

bench-amd: ## Whether a person or a machine has answered, and how soon it is known (OUT=file.json ARGS=--misses)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.answering $(if $(OUT),--out $(OUT)) $(ARGS)

bench-sentiment: ## How feelings are judged, and how fast an angry caller is met (OUT=file.json)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.sentiment $(if $(OUT),--out $(OUT)) $(ARGS)

bench-llm: ## What the language model's reasoner adds, and how well passages are found (OUT=file.json)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.llm $(if $(OUT),--out $(OUT)) $(ARGS)

bench-actions: ## What the gate and the audit cost at each tool, and the published tasks replayed (OUT=file.json)
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.actions $(if $(OUT),--out $(OUT)) $(ARGS)

bench-handoff: ## Whether the bundle is there before the ring, 200 times (OUT=file.json)
	@sh tools/bootstrap.sh test
	@$(BIN)/python -m bench.handoff $(if $(OUT),--out $(OUT)) $(ARGS)

bench-desk: ## What desktops cost, and how fast words reach them (OUT=file.json ARGS="--desktops 200")
	@sh tools/bootstrap.sh demo
	@$(BIN)/python -m bench.desk $(if $(OUT),--out $(OUT)) $(ARGS)

docs: ## Write the generated tables of docs/ again
	@sh tools/bootstrap.sh test
	@$(BIN)/python tools/generate_docs.py

clean: ## Remove everything that was set up or written at run time
	@sh tools/clean.sh
