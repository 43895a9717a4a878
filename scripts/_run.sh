# Sourced by the scripts beside it: runs a program of support/ with a Python that is new enough.
#
# PYTHON names the interpreter; without it the first of python3, python3.14 ... python3.11 that is
# at least 3.11. Nothing else is needed: the programs use the standard library and set up a virtual
# environment for what they run.

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

run() {
    program=$1
    shift
    if [ -n "${PYTHON:-}" ]; then
        if ! command -v "$PYTHON" >/dev/null 2>&1; then
            echo "PYTHON=$PYTHON: there is no such program." >&2
            exit 2
        fi
        if ! is_new_enough "$PYTHON"; then
            echo "PYTHON=$PYTHON: this needs Python 3.11 or newer; its --version says:" \
                "$("$PYTHON" --version 2>&1 | head -n 1)." >&2
            exit 2
        fi
        exec "$PYTHON" "$program" "$@"
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then
            exec "$candidate" "$program" "$@"
        fi
    done
    echo "This needs Python 3.11 or newer, and none is on the PATH" \
        "(python3 is $(python3 --version 2>&1 | head -n 1))." >&2
    echo "Install one, or name it: PYTHON=/path/to/python3.13 $0" >&2
    exit 2
}
