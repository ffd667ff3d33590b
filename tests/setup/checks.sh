#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# checks.sh: run all tests but those of the lab, in two lanes, since most of them leave a core idle. Print a line for
# each when it ends, and the output of those that failed. The full output is in .build/checks.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
logs=$root/.build/checks
"$root/tests/setup/environment.sh"
rm -rf "$logs"
mkdir -p "$logs"

run() { # TARGET ...
  local target began verdict
  for target in "$@"; do
    began=$SECONDS verdict=ok
    make --no-print-directory -C "$root" "$target" >"$logs/$target.log" 2>&1 || verdict=FAILED
    printf '%-12s %-6s %4d s\n' "$target" "$verdict" $((SECONDS - began))
    if [ "$verdict" = FAILED ]; then
      sed 's/^/    /' "$logs/$target.log"
      touch "$logs/failed"
    fi
  done
}

trap 'trap - TERM; kill 0' INT # background jobs do not receive SIGINT
run unit newest &
run lint sanity integration reports # sanity and integration use one copy of the tree, so they take turns
wait
[ ! -e "$logs/failed" ]
