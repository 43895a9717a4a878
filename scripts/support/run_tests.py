"""scripts/test [--all-pairs] [ARGUMENTS]: set up an environment and run the test suite.

Without arguments: the whole suite, one process for each processor, and at the end the ten slowest
tests and the reasons of those that were skipped. Arguments go to pytest as they are, in one
process:   scripts/test tests/engines -x

scripts/test -m "not processes"           without what starts pytest and manage.py again
scripts/test -m database                  what asks a database
scripts/test --all-pairs                  the whole suite on every supported pair of Python and
                                          Django whose interpreter is on this machine
PYTHON=python3.13 scripts/test            another interpreter
DJANGO=5.2 scripts/test                   another Django series
DATABASE_URL=postgres://... scripts/test  PostgreSQL in place of SQLite
DATABASE_POOL=1                           ... over psycopg's connection pool
"""

import os
import subprocess
import sys
from pathlib import Path

from environment import SetupError, environment_for
from interpreters import PAIRS, find_python

WHOLE_SUITE = ("--numprocesses=auto", "--dist=worksteal", "--durations=10", "-rs")
ALL_PAIRS = "--all-pairs"


def main(arguments: list[str]) -> int:
    """Run the tests; the result is pytest's exit code, or 2 when the environment fails."""
    if arguments in (["-h"], ["--help"]):
        print((__doc__ or "").strip())
        return 0
    if arguments[:1] == [ALL_PAIRS]:
        return run_all_pairs(arguments[1:])
    try:
        environment = environment_for("test")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    return environment.run("-m", "pytest", *(arguments or WHOLE_SUITE))


def run_all_pairs(arguments: list[str]) -> int:
    """Run the tests on one pair after the other, and say at the end how each went.

    Args:
        arguments: what goes to pytest.

    Returns:
        0 when every pair that this machine has passed, else 1.
    """
    results: dict[str, str] = {}
    for version, series in PAIRS:
        name = f"Python {version}, Django {series}"
        python = find_python(version)
        if python is None:
            results[name] = f"left out: no Python {version} on this machine"
            continue
        print(f"===== {name}", flush=True)
        code = subprocess.run(
            [python, str(Path(__file__).resolve()), *arguments],
            env={**os.environ, "DJANGO": series},
            check=False,
        ).returncode
        results[name] = "passed" if code == 0 else f"FAILED ({code})"
    print()
    for name, result in results.items():
        print(f"{name:<26}  {result}")
    words = [result.split()[0] for result in results.values()]
    passed, failed = words.count("passed"), words.count("FAILED")
    print(f"pairs: {passed} passed, {failed} failed, {words.count('left')} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
