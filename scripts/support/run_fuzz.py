"""scripts/fuzz [EXAMPLES [SEED]]: compare generated templates with the stock engines, for longer.

EXAMPLES Django templates with contexts (100000 without an argument) are rendered by stock Django,
by our render(), by our arender() and in pieces, and as many Jinja2 templates by stock Jinja2 and
ours, in two processes. A run with the same SEED makes the same examples; without one, each run
makes others and says which seed it took. The first difference of each round
of 500 examples is shrunk and printed as a Case(...) to paste into
tests/property/test_regressions.py.

PYTHON=python3.13 scripts/fuzz            another interpreter
DJANGO=5.2 scripts/fuzz 10000             another Django series
PROCESSES=4 scripts/fuzz                  more processes
"""

import os
import random
import sys

from environment import SetupError, environment_for

EXAMPLES = 100_000
TESTS = ("tests/property/test_differential.py", "tests/jinja2/test_differential.py")


def is_whole(text: str) -> bool:
    """Whether an argument is a whole number, not negative."""
    return text.isascii() and text.isdigit()


def main(arguments: list[str]) -> int:
    """Run the examples.

    Returns:
        pytest's exit code; 2 when an argument is wrong or the environment fails.
    """
    if arguments in (["-h"], ["--help"]):
        print((__doc__ or "").strip())
        return 0
    if len(arguments) > 2 or not all(map(is_whole, arguments)):
        print("Expected: scripts/fuzz [EXAMPLES [SEED]], both whole numbers.", file=sys.stderr)
        return 2
    numbers = [int(argument) for argument in arguments]
    examples = numbers[0] if numbers else EXAMPLES
    seed = numbers[1] if len(numbers) > 1 else random.randrange(10**6)
    if not examples:
        print("scripts/fuzz: EXAMPLES has to be at least 1.", file=sys.stderr)
        return 2
    try:
        environment = environment_for("test")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{examples} examples with seed {seed}", flush=True)
    return environment.run(
        "-m",
        "pytest",
        *TESTS,
        f"--numprocesses={os.environ.get('PROCESSES', '2')}",
        "--dist=worksteal",
        "--tb=short",
        # A round that has found a difference shrinks it for as long as that takes.
        "-o",
        "faulthandler_timeout=0",
        variables={
            "FUZZ_EXAMPLES": str(examples),
            "FUZZ_SEED": str(seed),
            "HYPOTHESIS_PROFILE": "fuzz",
        },
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
