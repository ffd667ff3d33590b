# SPDX-License-Identifier: GPL-3.0-or-later
# One target, one script: people, hooks and CI run the same thing. Choose the interpreter with PYTHON=/path/to/python3.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help env format lint sanity unit test

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

env: ## the pinned tools, in .build/venv
	@tests/setup/environment.sh

format: ## put Python into the form that lint asks for
	@tests/setup/format.sh

lint: ## ruff, mypy, yamllint, ansible-lint, changelog fragments, shellcheck
	@tests/setup/lint.sh

sanity: ## ansible-test sanity for the working tree
	@tests/setup/sanity.sh

unit: ## unit tests
	@tests/setup/unit.sh

test: lint sanity unit ## all of the above
