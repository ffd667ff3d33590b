#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes .build/ansible-test: the working tree as it would be committed now, in a real folder, as ansible-test wants it.
# Prints the collection's folder.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
copy=$root/.build/ansible-test/ansible_collections/mailops/smtp
rm -rf "$root/.build/ansible-test"
mkdir -p "$copy"
cd "$root"
tests/setup/files.sh | tar --create --null --no-recursion --files-from - | tar --extract -C "$copy"
echo "$copy"
