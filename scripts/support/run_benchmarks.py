"""scripts/benchmarks [ARGUMENTS]: set up an environment and run ``python -m benchmarks`` in it.

The arguments are those of the program: --page tiny, --quick, --json FILE, --help.

scripts/benchmarks --matrix               each construct of the template language by itself;
                                          --matrix --help tells more
PYTHON=python3.13 scripts/benchmarks      another interpreter
DJANGO=5.2 scripts/benchmarks             another Django series
PEERS=1 scripts/benchmarks --matrix       with the other engines that run Django templates
"""

import os
import sys

from environment import SetupError, environment_for


def main(arguments: list[str]) -> int:
    """Run the benchmarks; the result is the program's exit code, or 2 without an environment."""
    if arguments in (["-h"], ["--help"]):
        print((__doc__ or "").strip(), flush=True)
    try:
        environment = environment_for("peers" if os.environ.get("PEERS") else "benchmarks")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    return environment.run("-m", "benchmarks", *arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
