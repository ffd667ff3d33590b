#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# requirements.sh: resolve tests/requirements.in in a temporary environment, and pin every package in
# tests/requirements.txt.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install -qq --disable-pip-version-check -r "$root/tests/requirements.in"
{
  echo "# Made by 'make requirements' from requirements.in: every package this project's own work needs, pinned."
  "$scratch/venv/bin/python" -m pip freeze
} >"$root/tests/requirements.txt"
