#!/bin/sh
# Installs uv, at the version and hashes of requirements.lock, into .bootstrap/ and nowhere else.
set -eu

# pyenv refuses `python3` in this folder while it lacks the version in .python-version.
if python3 -c '' 2>/dev/null; then python=python3; else python='env PYENV_VERSION=system python3'; fi
$python -c 'import sys; sys.exit(sys.version_info < (3, 9))' || {
	echo "treering's bootstrap needs python3 3.9 or newer on the PATH: install one." >&2
	exit 1
}
$python -m venv --clear .bootstrap || {
	echo "python3 cannot make virtual environments: install its venv module (Debian: apt-get install python3-venv)." >&2
	exit 1
}
awk '/^uv==/ { on = 1 } on { print; if (!/\\$/) exit }' requirements.lock >.bootstrap/uv.txt
.bootstrap/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement .bootstrap/uv.txt
