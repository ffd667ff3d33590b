#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Everything: the lab's tests, which mostly wait for their hosts, beside those that need the processor. What the lab says
# is shown when those are done.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
make=(make --no-print-directory -C "$root")
"${make[@]}" env || exit

"${make[@]}" lab >"$root/.build/lab.log" 2>&1 &
lab=$!
trap 'kill "$lab" 2>/dev/null' INT TERM
echo "==> The lab is made meanwhile: .build/lab.log"
"${make[@]}" lint unit sanity integration
rest=$?
[ "$rest" = 0 ] || echo "==> Failed: see above. The lab's tests:" >&2
tail --pid="$lab" --follow --lines=+1 "$root/.build/lab.log"
wait "$lab" && exit "$rest"
