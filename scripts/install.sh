#!/usr/bin/env bash
# Installs the locked dependencies and the given projects into a virtual environment.
# usage: install.sh VENV PROJECT...
set -euo pipefail

venv=$1
shift

fail() {
    printf 'install: %s\n' "$1" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python make install"
}

make_venv() {
    local python
    python=$(find_python)
    if command -v uv >/dev/null; then
        uv venv --quiet --allow-existing --python "$python" "$venv"
    else
        "$python" -m venv "$venv" || fail "python -m venv failed; on Debian and Ubuntu: apt install python3-venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
    fi
}

[ -x "$venv/bin/python" ] && { command -v uv >/dev/null || [ -x "$venv/bin/uv" ]; } || make_venv
PATH="$PWD/$venv/bin:$PATH"
export VIRTUAL_ENV="$PWD/$venv"

printf 'installing the dependencies into %s\n' "$venv"
uv pip install --quiet --require-hashes --requirement requirements.lock
editable=()
for project in "$@"; do
    editable+=(--editable "$project")
done
uv pip install --quiet --no-deps "${editable[@]}"
