#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# versions.sh [unit|sanity|integration ...] [CORE|oldest|newest ...]: run these tests, by default all, with these versions
# of ansible-core, by default all of tests/versions.txt for which this machine has a Python. Print a line for each, and
# the output of those that failed. The full output is in .build/versions.
# For one version with options: CORE=2.21.5 tests/setup/unit.sh -k greeting -x
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
logs=$root/.build/versions
all_tests=(unit sanity integration)
tests=() wanted=()
for word in "$@"; do
  if [[ " ${all_tests[*]} " = *" $word "* ]]; then tests+=("$word"); else wanted+=("$word"); fi
done
[ "${#tests[@]}" -gt 0 ] || tests=("${all_tests[@]}")

# Divide the versions into those that can be tested here, and the reasons why the others cannot.
known=() runnable=() left_out=()
declare -A options
while read -r core python more; do
  known+=("$core")
  options[$core]=$more
  if "$root/tests/setup/python.sh" "$python" >/dev/null; then
    runnable+=("$core")
  else
    left_out+=("ansible-core $core: no Python $python in PATH or pyenv")
  fi
done < <(grep -v '^#' "$root/tests/versions.txt")

chosen=()
choose() { # VERSION
  [[ " ${runnable[*]-} " = *" $1 "* ]] && chosen+=("$1") || true
}
for word in "${wanted[@]:-all}"; do
  case $word in
    all) chosen=("${runnable[@]}") ;;
    oldest) choose "${known[0]}" ;;
    newest)
      newest=${runnable[*]+${runnable[${#runnable[@]} - 1]}}
      if [ "$newest" = "${known[0]}" ]; then
        left_out+=("the newest: this machine has a Python only for ansible-core $newest, which .build/venv has")
      else
        choose "$newest"
      fi
      ;;
    *)
      if [[ " ${known[*]} " != *" $word "* ]]; then
        echo "Unknown word $word. Expected unit, sanity, integration, oldest, newest, or a version: ${known[*]}" >&2
        exit 2
      fi
      choose "$word"
      ;;
  esac
done

run() { # TEST CORE: run it; keep its output, exit code and duration
  local start=$SECONDS status=0
  local -a more=()
  [ "$1" != sanity ] || read -ra more <<<"${options[$2]}"
  CORE=$2 "$root/tests/setup/$1.sh" ${more[@]+"${more[@]}"} >"$logs/$1-$2.log" 2>&1 || status=$?
  echo "$status $((SECONDS - start))" >"$logs/$1-$2.result"
}

# Two lanes: unit tests use all cores; sanity and integration of a version wait most of the time.
unit_lane() { for core in "${chosen[@]}"; do run unit "$core"; done; }
other_lane() {
  local core test
  for core in "${chosen[@]}"; do
    for test in "${tests[@]}"; do [ "$test" = unit ] || run "$test" "$core"; done
  done
}

mkdir -p "$logs"
for core in ${chosen[@]+"${chosen[@]}"}; do
  # Only its own: a test of this script runs it while another run waits for its results.
  for test in "${tests[@]}"; do rm -f "$logs/$test-$core.result"; done
  CORE=$core "$root/tests/setup/environment.sh"
done
if [ "${#chosen[@]}" -gt 0 ]; then
  if [[ " ${tests[*]} " = *" unit "* ]]; then unit_lane & fi
  other_lane &
  wait
fi

failed=0
for core in ${chosen[@]+"${chosen[@]}"}; do
  for test in "${tests[@]}"; do
    read -r status seconds <"$logs/$test-$core.result"
    verdict=ok
    if [ "$status" != 0 ]; then verdict=FAILED failed=1; fi
    printf 'ansible-core %-10s %-12s %-6s %4d s\n' "$core" "$test" "$verdict" "$seconds"
    if [ "$status" != 0 ]; then sed 's/^/    /' "$logs/$test-$core.log"; fi
  done
done
for reason in ${left_out[@]+"${left_out[@]}"}; do echo "left out: $reason"; done
exit "$failed"
