#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lint.sh [LINTER ...]: run the named linters in parallel, by default all. Print a line for each linter, and its output
# if it failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$root/tests/setup/environment.sh"
cd "$root"
export PATH="$root/.build/venv/bin:$PATH"
cache=$root/.build/cache
export ANSIBLE_HOME=$cache/ansible ANSIBLE_COLLECTIONS_PATH=$root/.build/collections
logs=$root/.build/lint
all=(ruff format mypy-managed mypy-controller yamllint ansible-lint changelog shellcheck markdown words)

# run_mypy VERSION FOLDER ...: check packages of the collection, so that relative and absolute imports are one module.
run_mypy() {
  local version=$1 folder
  local -a packages=()
  shift
  for folder in "$@"; do
    # mypy fails on a package without Python files.
    [ -n "$(find "$folder" -name '*.py' -print -quit 2>/dev/null)" ] || continue
    packages+=(-p "ansible_collections.mailops.smtp.${folder//\//.}")
  done
  [ "${#packages[@]}" -gt 0 ] || return 0
  mypy --python-version "$version" "${packages[@]}" 2>&1 |
    sed 's|^\.build/collections/ansible_collections/mailops/smtp/||'
}

shell_scripts() {
  local file first
  while IFS= read -r -d '' file; do
    if [ ! -f "$file" ] || [[ $file = *.j2 ]]; then continue; fi
    IFS= read -r first 2>/dev/null <"$file" || true
    if [[ ${first:-} =~ ^\#!.*[/\ ](ba|da)?sh($|\ ) ]]; then printf '%s\0' "$file"; fi
  done < <(tests/setup/files.sh)
}

check() {
  case $1 in
    ruff) ruff check --quiet . ;;
    format) ruff format --quiet --diff . ;;
    # 3.10 is the oldest version that mypy supports; sanity.sh compiles and imports with 3.9.
    mypy-managed) run_mypy 3.10 plugins/module_utils plugins/modules ;;
    mypy-controller) run_mypy 3.11 plugins/{action,callback,doc_fragments,filter,plugin_utils} tests ;;
    yamllint)
      tests/setup/files.sh | grep -zE '\.ya?ml$|^\.(yamllint|ansible-lint)$' | xargs -0 yamllint --strict
      ;;
    ansible-lint) ansible-lint -q --nocolor ;;
    changelog)
      antsibull-changelog lint &&
        { [ ! -e changelogs/changelog.yaml ] || antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml; }
      ;;
    shellcheck) shell_scripts | xargs -0 shellcheck --external-sources ;;
    markdown) tests/setup/files.sh | grep -z '\.md$' | xargs -0 pymarkdown scan ;;
    words) tests/setup/files.sh | xargs -0 python tests/setup/words.py ;;
    *) echo "Unknown linter $1. Expected one of: ${all[*]}"; return 2 ;;
  esac
}

timed() {
  local start=${EPOCHREALTIME//[^0-9]/} status=0
  check "$1" >"$logs/$1.log" 2>&1 || status=$?
  echo "$status $(((${EPOCHREALTIME//[^0-9]/} - start) / 100000))" >"$logs/$1.result"
}

[ $# -gt 0 ] || set -- "${all[@]}"
rm -rf "$logs"
mkdir -p "$logs" "$cache"
for linter in "$@"; do timed "$linter" & done
wait

failed=0
for linter in "$@"; do
  read -r status tenths <"$logs/$linter.result"
  verdict=ok
  if [ "$status" != 0 ]; then verdict=FAILED failed=1; fi
  printf '%-16s %-6s %3d.%d s\n' "$linter" "$verdict" $((tenths / 10)) $((tenths % 10))
  if [ "$status" != 0 ]; then sed 's/^/    /' "$logs/$linter.log"; fi
done
exit "$failed"
