#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the checkout's own files, NUL between them: what git tracks or would add. Without git, all but .build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
# A checkout may belong to another user than the one who tests it (a container run by root).
if git -c safe.directory="$root" rev-parse --git-dir >/dev/null 2>&1; then
  git -c safe.directory="$root" ls-files -coz --exclude-standard
else
  find . \( -name .build -o -name .git -o -name __pycache__ \) -prune -o \( -type f -o -type l \) -printf '%P\0'
fi | while IFS= read -r -d '' file; do
  # A file deleted but not yet committed is still listed.
  if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
done
