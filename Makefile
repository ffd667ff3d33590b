# SPDX-License-Identifier: GPL-3.0-or-later
# One target, one script: people, hooks and CI run the same thing. Choose the interpreter with PYTHON=/path/to/python3.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test unit integration lab lint sanity format docs env requirements clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## a lab of real hosts, a relay on one of them, and a message through it
	@tests/demo/run

env: ## the pinned tools, in .build/venv
	@tests/setup/environment.sh

format: ## put Python into the form that lint asks for
	@tests/setup/format.sh

docs: ## write the pages made from data: docs/providers.md and roles/relay/README.md
	@tests/setup/docs.sh

lint: ## ruff, mypy, yamllint, ansible-lint, changelog fragments, shellcheck, pymarkdown, plain English
	@tests/setup/lint.sh

sanity: ## ansible-test sanity for the working tree
	@tests/setup/sanity.sh

unit: ## unit tests
	@tests/setup/unit.sh

integration: ## ansible-test integration: modules as a user calls them, with a server on this machine
	@tests/setup/integration.sh

lab: ## the lab's hosts made anew, and the tests on them
	@tests/lab/run

test: lint unit sanity integration lab ## all of the above

requirements: ## pin tests/requirements.txt anew, from tests/requirements.in
	@tests/setup/requirements.sh

clean: ## remove hosts, network, images, caches and environment
	@tests/lab/lab clean
	@rm -rf .build
