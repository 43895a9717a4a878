"""``TemplateStream``: the response of a page whose first bytes leave before its last are there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from ..runtime.drivers import in_request_thread
from ..streaming.stream import TemplateChunks
from .failures import report_failure, shown_failure
from .sent_headers import HeadersLeave


class PageContent(AsyncIterator[str]):
    """The chunks of a page, and what happens when one of them cannot be rendered.

    Args:
        chunks: the chunks.
        request: the request that is answered.
    """

    def __init__(self, chunks: TemplateChunks, request: HttpRequest | None) -> None:
        self.chunks = chunks
        self.request = request
        self._error: Exception | None = None

    def __aiter__(self) -> PageContent:
        return self

    async def __anext__(self) -> str:
        """Return the next chunk.

        Raises:
            StopAsyncIteration: the page is at its end.
            Exception: what the template has raised, once it is reported. The server cuts the
                response then, so that no half page looks whole.
        """
        if self._error is not None:
            raise self._error
        try:
            return await anext(self.chunks)
        except StopAsyncIteration:
            raise
        except Exception as error:
            await report_failure(error, self.request)
            shown = shown_failure(error)
            if shown is None:
                raise
            self._error = error
            return shown

    async def aclose(self) -> None:
        """Stop rendering, and wait until that is done."""
        await self.chunks.aclose()

    def close(self) -> None:
        """Stop rendering soon. Any thread may call it."""
        self.chunks.close()


class TemplateStream(HeadersLeave, StreamingHttpResponse):
    """A response whose content is a page that is rendered while it is sent.

    What `astream` returns. Its status, headers and cookies can be changed until its first bytes
    leave, which is after all middleware.

    Args:
        content: the chunks of the page, or all of its text.
        request: the request that is answered.
        args: as for Django's ``StreamingHttpResponse``.
        kwargs: the same.
    """

    def __init__(
        self,
        content: TemplateChunks | Iterable[str],
        request: HttpRequest | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.is_complete = not isinstance(content, TemplateChunks)
        """Whether the page was rendered before the response was made."""
        self._page = PageContent(content, request) if isinstance(content, TemplateChunks) else None
        super().__init__(self._page or content, *args, **kwargs)
        if self._page is not None:
            # nginx holds back what it gets, unless it is told otherwise.
            self.headers.setdefault("X-Accel-Buffering", "no")

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Give the content piece by piece, as bytes.

        Django's own method takes a `TypeError` of the content for a sync iterator.
        """
        content: Any = self.streaming_content
        if not self.is_async:
            for part in content:
                self.mark_sent()
                yield part
            return
        try:
            async for part in content:
                self.mark_sent()
                yield part
        except Exception:
            # Django's handler closes the response only when all of it was sent.
            await in_request_thread(self.close)
            raise
        finally:
            close = getattr(content, "aclose", None)
            if close is not None:
                await close()
            if self._page is not None:
                await self._page.aclose()

    def close(self) -> None:
        """Close the response once: stop rendering, send `request_finished`."""
        if not self.closed:
            super().close()
