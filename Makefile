# Everything that a person runs. Nothing has to be installed first but git, make and a Python 3.13.
python := .venv/bin/python
# Four workers, as much time goes into waiting; a file's tests stay together, for they share what they set up. In the
# order that tests/conftest.py gives them.
pytest := $(python) -m pytest --ignore=tests/bench -n 4 --dist loadfile --no-loadscope-reorder
# What is not Python.
scripts := functions/dashboard/static examples tests/bench/sharp/convert.js

.PHONY: help
help: ## list what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what demo and local need
	@local/setup

.PHONY: demo
demo: setup ## publish a film, from nothing, and keep serving; ARGS=--exit ends after it
	@$(python) -m local.demo $(ARGS)

.PHONY: local
local: setup ## start the stack; ARGS="--port P --tiktok-url URL --trust-media-origin URL --state DIR"
	@$(python) -m local $(ARGS)

.PHONY: key
key: setup ## make an API key of the local stack; of one in AWS with ARGS="--stack NAME"
	@$(python) -m local.key $(ARGS)

.PHONY: signin
signin: setup ## make a one-time link to the dashboard; of a stack in AWS with ARGS="--url URL" and PUBLISHER_KEY
	@$(python) -m local.sign_in $(ARGS)

.PHONY: doctor
doctor: setup ## look whether the local stack is set up; one in AWS with ARGS="--url URL" and PUBLISHER_KEY
	@$(python) -m local.doctor $(ARGS)

.PHONY: test
test: ## run all tests; ARGS="-k name" some of them
	@local/setup tests sam
	@$(pytest) $(ARGS)

.PHONY: check
check: ## format, lint, types, template and state machine, then all tests
	@local/setup tests sam
	@$(python) -m ruff format --check --quiet .
	@$(python) -m ruff check --quiet .
	@$(python) -m mypy functions layers/shared local tests clients/python/src
	@.venv/bin/oxfmt --list-different $(scripts)
	@.venv/bin/oxlint --quiet $(scripts)
	@.venv/bin/cfn-lint template.yaml
	@$(pytest)

.PHONY: bench
bench: ## measure ours beside a baseline
	@local/setup tests bench
	@PYTHONPATH=functions:layers/shared $(python) -m tests.bench $(ARGS)

.PHONY: simulate
simulate: ## simulate a million posts under a simulated clock; ARGS="--seed N"
	@local/setup
	@PYTHONPATH=layers/shared $(python) -m local.simulate $(ARGS)

.PHONY: build
build: ## make what is deployed, in .aws-sam/build
	@local/setup sam
	@local/build

.PHONY: deploy
deploy: build ## deploy to AWS, asking what it needs to know
	@SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam deploy --guided $(ARGS)

.PHONY: contract
contract: ## write the contract that GET /openapi.json answers
	@local/setup tests
	@PYTHONPATH=layers/shared:functions $(python) -m local.contract

.PHONY: readme
readme: ## render the picture and the tables of README.md
	@local/setup tests
	@PYTHONPATH=layers/shared $(python) -m local.readme

.PHONY: screenshots
screenshots: ## take the pictures of the dashboard that README.md shows
	@local/setup tests
	@$(python) -m pytest -q tests/browser/screenshots.py
