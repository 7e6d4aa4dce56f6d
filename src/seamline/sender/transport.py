"""`Transport.send`: one request to a vendor's API, whole or not at all.

Every fault becomes `TimeoutError` or `ConnectionError`, so that nobody above has to know the
client library. Redirects are not followed: a signed request is meant for one place.
"""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
from yarl import URL

import seamline
from seamline.dialects.dialect import Reply, Request

#: A reply that unpacks to more than this is no answer of an API.
BODY_LIMIT = 32 * 1024 * 1024

_CHUNK = 64 * 1024
#: What the client adds by itself, and would otherwise disagree with the request's own bytes.
_SKIPPED = ("Content-Type", "Accept-Encoding")
#: Said of a body as it travelled; no longer true of it.
_PACKED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
_AGENT = f"seamline/{seamline.__version__}"


class Transport:
    """One pool of connections, opened with the first request; used from one event loop."""

    def __init__(self, *, body_limit: int = BODY_LIMIT, tls: ssl.SSLContext | None = None) -> None:
        self._body_limit = body_limit
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, base_url: str, request: Request, deadline_s: float) -> Reply:
        """The reply, its body unpacked; `TimeoutError` or `ConnectionError` when there is none.

        `ConnectionRefusedError`: no connection was made, and so nothing was asked.

        The path follows the base URL, path and query byte for byte as the request has them.
        """
        try:
            async with asyncio.timeout(deadline_s):
                return await self._exchange(base_url, request)
        except TimeoutError as error:
            raise TimeoutError(f"no reply within {deadline_s:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise ConnectionRefusedError(f"{type(error).__name__}: {error}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Close every connection; the next request would open new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, base_url: str, request: Request) -> Reply:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers
        ]
        async with self._opened().request(
            request.method,
            _url(base_url, request),
            headers=headers,
            data=request.body or None,
            allow_redirects=False,
            skip_auto_headers=_SKIPPED,
        ) as response:
            body = await self._body(response)
            return Reply(response.status, body, _headers(response))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # The deadline is the caller's and spans all; cookies of one brand's vendor account
            # must not travel with another's.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(),
                headers={"User-Agent": _AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True),
            )
            # aiohttp would send a GET or a DELETE again by itself where a kept connection breaks:
            # whether anything is asked twice is the caller's to say.
            self._session._retry_connection = False  # noqa: SLF001 - there is no option for it
        return self._session

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The unpacked body, read only as far as the limit."""
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._body_limit:
                response.close()
                raise ConnectionError(f"the reply is longer than {self._body_limit} bytes")
        return bytes(body)


def _url(base_url: str, request: Request) -> URL:
    """The URL, which is neither decoded nor encoded on its way."""
    query = f"?{request.query.decode('ascii')}" if request.query else ""
    return URL(f"{base_url}{request.path}{query}", encoded=True)


def _headers(response: aiohttp.ClientResponse) -> tuple[tuple[bytes, bytes], ...]:
    """The reply's headers, names in lower case, without what was true of the packed body only."""
    named = ((name.lower(), value) for name, value in response.raw_headers)
    return tuple((name, value) for name, value in named if name not in _PACKED)
