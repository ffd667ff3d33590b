#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# format.sh: sort imports, apply ruff's safe fixes, and format every Python file.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$root/tests/setup/environment.sh"
cd "$root"
.build/venv/bin/ruff check --fix-only --quiet .
.build/venv/bin/ruff format .
