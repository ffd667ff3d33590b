#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unit.sh [PYTEST OPTION ...]: run the unit tests. Options are passed on: unit.sh -k reply -x
# CORE=2.21.5 runs them with that version of tests/versions.txt.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$root/tests/setup/environment.sh"
cd "$root"
[ $# -gt 0 ] || set -- --numprocesses=auto # run all tests, on all cores
exec ".build/${CORE:+core/}${CORE:-venv}/bin/python" -m pytest --quiet -o cache_dir=".build/cache/pytest${CORE:+-$CORE}" "$@"
