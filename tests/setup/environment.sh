#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# environment.sh: create .build/venv with the pinned requirements, and link this checkout as collection mailops.smtp.
# With CORE, a version in tests/versions.txt: create .build/core/$CORE with that ansible-core and what the tests need.
# Does nothing if Python, the requirements and the path are unchanged: the stamp holds a hash of them.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/.build
core=${CORE:-}
name=${core:+core/}${core:-venv}
venv=$build/$name
#: Of the pinned packages, those that tests with another ansible-core use.
test_packages='aiosmtpd|antsibull-changelog|cryptography|dnspython|hypothesis|jsonschema|pytest(-testinfra|-xdist)?'
test_packages+='|shellcheck[-_]py|trustme|types-PyYAML'
say() { printf '==> %s\n' "$*"; }

find_python() {
  local candidate version
  if [ -n "$core" ]; then
    version=$(awk -v core="$core" '$1 == core { print $2 }' "$root/tests/versions.txt")
    [ -n "$version" ] || { echo "CORE=$core is not a version in tests/versions.txt." >&2 && exit 1; }
    "$root/tests/setup/python.sh" "$version" && return
    echo "ansible-core $core needs Python $version, which is neither in PATH nor in pyenv." >&2
    exit 1
  fi
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo "No Python 3.11, 3.12 or 3.13 found. Install one, or set its path: make PYTHON=/path/to/python3 ..." >&2
  exit 1
}

need_venv_module() {
  "$1" -c 'import venv, ensurepip' 2>/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Installing python3-venv"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  else
    echo "Python's venv module is missing. As root, run: apt-get install python3-venv" >&2
    exit 1
  fi
}

pinned() { # the packages to install
  if [ -z "$core" ]; then
    cat "$root/tests/requirements.txt"
  else
    echo "ansible-core==$core"
    grep -E "^($test_packages)==" "$root/tests/requirements.txt"
  fi
}
constraints() { # on what these packages need
  [ -z "$core" ] || grep -v '^ansible-core==' "$root/tests/requirements.txt"
}

python=$(find_python)
want=$({ "$python" -c 'import sys; print(sys.version)'; pinned; constraints; echo "$root"; } | sha256sum)
if [ "$(cat "$venv/.stamp" 2>/dev/null)" != "$want" ]; then
  need_venv_module "$python"
  say "Creating .build/$name with $("$python" --version)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  pinned >"$venv/requirements.txt"
  constraints >"$venv/constraints.txt"
  say "Installing $(grep -c '==' "$venv/requirements.txt") pinned packages (about half a minute)"
  "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
    -c "$venv/constraints.txt" -r "$venv/requirements.txt"
  printf '%s\n' "$want" >"$venv/.stamp"
fi

mkdir -p "$build/collections/ansible_collections/mailops"
ln -sfn "$root" "$build/collections/ansible_collections/mailops/smtp"
