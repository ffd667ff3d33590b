#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# files.sh: print the files of the checkout, each followed by NUL: those that git tracks or would add. Without git, all
# files outside .build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
# The checkout may belong to another user, for example in a container that runs as root.
if git -c safe.directory="$root" rev-parse --git-dir >/dev/null 2>&1; then
  git -c safe.directory="$root" ls-files -coz --exclude-standard
else
  find . \( -name .build -o -name .git -o -name __pycache__ \) -prune -o \( -type f -o -type l \) -printf '%P\0'
fi | while IFS= read -r -d '' file; do
  # git also lists a file that is deleted but not committed.
  if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
done
