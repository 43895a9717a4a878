"""A uvicorn server on a free port of this machine, for as long as a ``with`` block."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serve(application: Any) -> Iterator[str]:
    """Serve an ASGI application from a thread of its own.

    Args:
        application: the ASGI application.

    Yields:
        The site's address, such as ``http://127.0.0.1:54321``.
    """
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # asyncio does it where it makes the socket. Without, a chunk may wait for the client's
        # acknowledgement of the one before, which takes 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=server.run, args=[[listening]], name="uvicorn")
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "uvicorn has stopped before it started"
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
