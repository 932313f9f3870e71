#!/bin/sh
# Makes .venv with the Python asked for: one that is here, else one that uv fetches, else a near one.
set -eu
wanted=$1
uv() { .bootstrap/bin/python scripts/uv.py "$@"; }
make_with() { uv venv --quiet --allow-existing "$@" .venv 2>>.bootstrap/venv.log; }

: >.bootstrap/venv.log
make_with --no-python-downloads --python "$wanted" && exit
echo "Fetching Python $wanted"
make_with --python "$wanted" && exit
if make_with --no-python-downloads --python '>=3.12,<3.14'; then
	echo "Python $wanted is not here and could not be fetched; going on with $(.venv/bin/python --version)"
	exit
fi
echo "treering needs Python $wanted, which is not here and could not be fetched (.bootstrap/venv.log says why): install it with your system's packages or pyenv, or name one from 3.12 on, make PYTHON=/its/python3." >&2
exit 1
