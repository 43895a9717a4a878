"""scripts/demo [--check]: set up the demo bookshop and serve it with uvicorn.

Without arguments: migrates, loads the books, serves on http://127.0.0.1:8000/ (the next free port
if that one is taken) until Ctrl+C. The data is in example/db.sqlite3.

--check serves it on a free port with a database that is thrown away, requests every page of
example/shop/pages.py over HTTP, prints a line for each, and exits with 1 when one is wrong.

DATABASE_URL=postgres://... scripts/demo    another database, in both cases
PYTHON=python3.13 DJANGO=6.0 scripts/demo   another interpreter and Django
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from environment import ROOT, Environment, SetupError, environment_for, variables_for_child
from site_check import check_site

EXAMPLE = ROOT / "example"
HOST = "127.0.0.1"
FIRST_PORT = 8000
PORTS_TRIED = 100
START_LIMIT = 60.0
STOP_LIMIT = 10.0
LOG_LINES_SHOWN = 60


def main(arguments: list[str]) -> int:
    """Serve or check the demo; 0 when all is well, 1 when a page is wrong, 2 when it cannot run."""
    if arguments not in ([], ["--check"]):
        print((__doc__ or "").strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    signal.signal(signal.SIGTERM, leave)
    try:
        environment = environment_for("demo")
        return check(environment) if arguments else serve(environment)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2


def leave(signum: int, frame: FrameType | None) -> None:
    """Turn a signal into an exit that passes through every ``finally``."""
    sys.exit(128 + signum)


def serve(environment: Environment) -> int:
    """Prepare the demo and serve it until it is stopped."""
    prepare(environment, {})
    port = free_port()
    with server(environment, port, {}, log=None) as process:
        print(
            f"\nThe bookshop is open at http://{HOST}:{port}/ - Ctrl+C closes it.\n"
            f"The same list by Jinja2: http://{HOST}:{port}/jinja2/\n"
            f"The admin: http://{HOST}:{port}/admin/\n",
            flush=True,
        )
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The server has had the same Ctrl+C; leaving the block waits until it is done.
            return 0


def check(environment: Environment) -> int:
    """Serve the demo, request every page, and say which are wrong."""
    with tempfile.TemporaryDirectory(prefix="atemplates-demo-") as name:
        folder = Path(name)
        # The demo account exists with DEBUG only.
        variables = {"DEBUG": "1"}
        if not os.environ.get("DATABASE_URL"):
            variables["DATABASE_URL"] = f"sqlite:///{folder / 'demo.sqlite3'}"
        prepare(environment, variables)
        port, log = free_port(first=0), folder / "server.log"
        with server(environment, port, variables, log):
            wrong = check_site(f"http://{HOST}:{port}", EXAMPLE / "shop" / "pages.py")
        if wrong:
            print(f"\nThe end of what the server wrote:\n{tail(log)}")
    print(f"scripts/demo --check: {f'{wrong} pages are wrong' if wrong else 'all pages are right'}")
    return 1 if wrong else 0


def prepare(environment: Environment, variables: Mapping[str, str]) -> None:
    """Bring the database up to date and load the books.

    Raises:
        SetupError: one of the two failed; its message is above.
    """
    for command in (("migrate", "--verbosity=0", "--noinput"), ("load_books",)):
        manage = (EXAMPLE / "manage.py", *command)
        if environment.run(*manage, variables=variables):
            raise SetupError(f"example/manage.py {command[0]} failed; its message is above.")


def free_port(first: int = FIRST_PORT) -> int:
    """The first port from ``first`` on that nothing listens on, or any for 0.

    Raises:
        SetupError: all that were tried are taken.
    """
    for port in range(first, first + PORTS_TRIED) if first else [0]:
        with socket.socket() as probe:
            # As the server does: a port that was in use a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SetupError(f"Every port from {first} to {first + PORTS_TRIED - 1} is taken.")


@contextlib.contextmanager
def server(
    environment: Environment, port: int, variables: Mapping[str, str], log: Path | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run uvicorn with the demo; inside the block it answers, after it it has ended.

    Args:
        environment: where uvicorn is installed.
        port: the port to listen on.
        variables: environment variables for the demo.
        log: a file for what it writes, or None for this terminal.

    Raises:
        SetupError: it ended at once, or does not answer.
    """
    application = ["--app-dir", EXAMPLE, "bookshop_site.asgi:application"]
    address = ["--host", HOST, "--port", str(port), "--log-level", "warning"]
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else None
        process = subprocess.Popen(
            environment.command("-m", "uvicorn", *application, *address),
            cwd=EXAMPLE,
            env=variables_for_child(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_it_answers(process, port, log)
            yield process
        finally:
            stop(process)


def wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path | None) -> None:
    """Wait until the port accepts connections.

    Raises:
        SetupError: the server ended, or the time is up.
    """
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            written = f"It wrote:\n{tail(log)}" if log else "Its message is above."
            raise SetupError(f"The server ended with code {process.returncode}. {written}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SetupError(f"The server does not answer on port {port} after {START_LIMIT:.0f} s.")


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, by force if it does not end when asked."""
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
