# SPDX-License-Identifier: GPL-3.0-or-later
# Each target runs one script, the same for developers, hooks and CI. PYTHON=/path/to/python3 sets the interpreter.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test unit integration lab lint sanity format docs env requirements clean versions newest servers record reports checks

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## deploy a relay on a lab of real hosts, and send a message through it
	@tests/demo/run

env: ## install the pinned tools into .build/venv
	@tests/setup/environment.sh

format: ## format Python as lint requires
	@tests/setup/format.sh

docs: ## generate docs/providers.md, docs/controls.md, roles/relay/README.md, docs/evidence.md, schemas
	@tests/setup/docs.sh

lint: ## run ruff, mypy, yamllint, ansible-lint, changelog fragments, shellcheck, pymarkdown, plain English
	@tests/setup/lint.sh

sanity: ## run ansible-test sanity for the working tree
	@tests/setup/sanity.sh

unit: ## run the unit tests
	@tests/setup/unit.sh

integration: servers ## run ansible-test integration: modules as users call them, with a server on this machine
	@tests/setup/integration.sh

versions: ## run unit, sanity and integration with each ansible-core that this machine has a Python for
	@tests/setup/versions.sh

newest: ## run unit and integration with the newest of them
	@tests/setup/versions.sh newest unit integration

servers: ## send through servers that others wrote: Haraka, smtp-server, Exim, Sendmail, OpenSMTPD
	@tests/servers/run

reports: ## read the reports with programs that others wrote, and the HTML page in a browser
	@tests/reports/run

record: ## record evidence of the lab's hosts, which must be up, as fixtures of the unit tests
	@tests/lab/record

lab: ## create the hosts of the lab, and run the tests on them
	@tests/lab/run

checks: ## run lint, unit, sanity, integration, reports and newest, two at a time
	@tests/setup/checks.sh

test: checks lab ## run these; the oldest ansible-core is the one of env

requirements: ## pin tests/requirements.txt from tests/requirements.in
	@tests/setup/requirements.sh

clean: ## remove hosts, network, images, caches and environment
	@tests/lab/lab clean
	@rm -rf .build
