#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# integration.sh [OPTION ...]: run ansible-test integration for the working tree, on this machine, with .build/venv, or
# with CORE=2.21.5 with that version of tests/versions.txt.
# Options are passed on: integration.sh smtp_send -v
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$root/tests/setup/environment.sh"
export PATH="$root/.build/${CORE:+core/}${CORE:-venv}/bin:$PATH"
copy=$("$root/tests/setup/tree.sh")
home=$root/.build/home${CORE:+-$CORE}
mkdir -p "$home"
cd "$copy"
# Without ANSIBLE_TEST_CONTENT_ROOT, ansible-test uses the repository above the copy, in which .build is ignored.
HOME=$home ANSIBLE_TEST_CONTENT_ROOT=$copy exec ansible-test integration --color no --local \
  --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@"
