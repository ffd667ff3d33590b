#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# docs.sh: generate docs/providers.md, docs/controls.md, roles/relay/README.md, docs/evidence.md and its schema,
# docs/report.schema.json.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$root/tests/setup/environment.sh"
for page in providers_page role_page evidence_page report_schema controls_page; do
  "$root/.build/venv/bin/python" "$root/tests/setup/$page.py"
done
