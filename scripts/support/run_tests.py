"""scripts/test [ARGUMENTS]: set up an environment and run the test suite.

Without arguments: the whole suite, one process for each processor. Arguments go to pytest as they
are, in one process:   scripts/test tests/engines -x

PYTHON=python3.13 scripts/test            another interpreter
DJANGO=5.2 scripts/test                   another Django series
DATABASE_URL=postgres://... scripts/test  PostgreSQL in place of SQLite
DATABASE_POOL=1                           ... over psycopg's connection pool
"""

import sys

from environment import SetupError, environment_for

WHOLE_SUITE = ("--numprocesses=auto", "--dist=worksteal")


def main(arguments: list[str]) -> int:
    """Run the tests; the result is pytest's exit code, or 2 when the environment fails."""
    if arguments in (["-h"], ["--help"]):
        print((__doc__ or "").strip())
        return 0
    try:
        environment = environment_for("test")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    return environment.run("-m", "pytest", *(arguments or WHOLE_SUITE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
