#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# sanity.sh [OPTION ...]: run ansible-test sanity for the working tree. Options are passed on: --test validate-modules
# CORE=2.21.5 runs them with that version of tests/versions.txt.
# Code for managed hosts is also compiled and imported with Python 3.9, their oldest version, if it is installed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$root/tests/setup/environment.sh"
venv=$root/.build/${CORE:+core/}${CORE:-venv}
export PATH="$venv/bin:$PATH"
home=$root/.build/home${CORE:+-$CORE} # for the virtual environments of ansible-test, instead of the user's home
log=$root/.build/sanity${CORE:+-$CORE}.log
oldest=3.9

# Provide the version of pip that ansible-test would otherwise download.
version=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
pip_version=$(python - "$version" <<'PYTHON'
import sys
from ansible_test._internal.host_configs import NativePythonConfig
from ansible_test._internal.python_requirements import get_venv_packages
print(get_venv_packages(NativePythonConfig(version=sys.argv[1]))["pip"])
PYTHON
)
cache=$home/.ansible/test/cache
mkdir -p "$cache" "$home/.config/pip"
if [ ! -e "$cache/pip-$pip_version-py3-none-any.whl" ]; then
  python -m pip download -qq --disable-pip-version-check --no-deps --only-binary :all: -d "$cache" "pip==$pip_version"
fi
cp "$root/tests/setup/get_pip.py" "$cache/get_pip_${pip_version//./_}.py"
install -m 600 /dev/null "$home/.config/pip/pip.conf" # the URL of an index may contain a password
python "$root/tests/setup/pip_settings.py" >"$home/.config/pip/pip.conf"

copy=$("$root/tests/setup/tree.sh")

pythons=(--target-python "$version")
if found=$("$root/tests/setup/python.sh" "$oldest"); then
  pythons+=(--target-python "$oldest")
  PATH=$venv/bin:$(dirname "$found"):$PATH
else
  echo "Python $oldest is not installed: code for managed hosts is compiled and imported with $version only."
fi

# Without ANSIBLE_TEST_CONTENT_ROOT, ansible-test uses the repository above the copy, in which .build is ignored.
cd "$copy"
status=0
HOME=$home ANSIBLE_TEST_CONTENT_ROOT=$copy ansible-test sanity -v --lint --color no \
  --controller "origin:python=$version" "${pythons[@]}" "$@" 2>"$log" || status=$?

# The findings are already printed. Report why the run failed, which tests were skipped, and how many ran.
grep -E '^(FATAL|WARNING: (Skipping|Required program))' "$log" || true
awk '/^Running sanity test/ { gsub(/"/, ""); test = $4 ($7 ? " " $7 : ""); run++ }
     /^No tests applicable/ { idle = idle ", " test; run-- }
     END { printf "ansible-test sanity: %d tests with something to test%s\n", run, idle ? "; nothing yet for " substr(idle, 3) : "" }' "$log"
[ "$status" = 0 ] || echo "Full output: ${log#"$root/"}"
exit "$status"
