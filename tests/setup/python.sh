#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# python.sh VERSION: print the path of Python VERSION (such as 3.12), from PATH or pyenv. Fails silently if there is none.
set -euo pipefail
# The shims of pyenv run only its active versions.
for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/"python$1"; do
  "$candidate" -c 'import sys; print(sys.executable)' 2>/dev/null && exit
done
exit 1
