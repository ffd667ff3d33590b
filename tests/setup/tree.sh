#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tree.sh: copy the working tree, as it would be committed now, to .build/ansible-test (one copy for each CORE), in the
# layout that ansible-test needs. Print the folder of the collection.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
top=$root/.build/ansible-test${CORE:+-$CORE}
copy=$top/ansible_collections/mailops/smtp
rm -rf "$top"
mkdir -p "$copy"
cd "$root"
tests/setup/files.sh | tar --create --null --no-recursion --files-from - | tar --extract -C "$copy"
echo "$copy"
