"""Fetching of single pages over HTTP: safe addresses, limits and caching."""

import hashlib
import ipaddress
import json
import secrets
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin

import httpx

from knowledge_base.documents import KnowledgeError

AGENT: Final = "careline"
MAX_PAGE_BYTES: Final = 32 * 2**20
PAGE_SECONDS: Final = 60.0
_SILENCE_SECONDS: Final = 15.0
_MAX_REDIRECTS: Final = 5
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_OK, _NOT_MODIFIED = 200, 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_GZIP: Final = frozenset({"gzip", "x-gzip"})


class HttpStatusError(KnowledgeError):
    """The server answered with an error status."""

    def __init__(self, status: int) -> None:
        """Set the status and a message."""
        super().__init__(f"the server answered {status}: check the address")
        self.status = status


@dataclass(frozen=True)
class PageHeaders:
    """The headers of a page that matter here."""

    url: str
    content_type: str = ""
    charset: str | None = None
    robots: str = ""
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True)
class FetchedPage:
    """A page as received; `head.url` is the address after redirects."""

    head: PageHeaders
    body: bytes


Check = Callable[[str], None]


def is_public(address: str) -> bool:
    """Return whether an IP address is public, including one embedded in another."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64 or int(ip) >> 32 == 0:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast


class Fetcher:
    """Fetches pages one after the other; each host's name is resolved once.

    The checked address is the one connected to, so a name that resolves to another address later,
    or a redirect, cannot lead to an unchecked address.
    """

    def __init__(self, cache: Path, *, allow_private: bool) -> None:
        """Cache pages in `cache`; private addresses are refused unless allowed."""
        self._cache = cache
        self._allow_private = allow_private
        self._addresses: dict[tuple[str, int], list[str]] = {}
        self._client = httpx.Client(
            headers={"User-Agent": f"{AGENT} (knowledge ingestion)", "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(_SILENCE_SECONDS),
            trust_env=False,  # a proxy would resolve the name itself
        )

    def __enter__(self) -> Self:
        """Return the fetcher; nothing is opened yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._client.close()

    def get(
        self, url: str, *, may_go: Check, accept: Callable[[PageHeaders], object]
    ) -> FetchedPage:
        """Return a page; raise KnowledgeError with the reason if that is impossible.

        `may_go` is called with the target of each redirect, `accept` before a body is read; either
        raises KnowledgeError to refuse.
        """
        at = url
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                result = self._request(at, accept)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                message = f"it cannot be reached: {error or type(error).__name__}"
                raise KnowledgeError(message) from error
            if isinstance(result, FetchedPage):
                return result
            at = result
            may_go(at)
        message = f"it redirects more than {_MAX_REDIRECTS} times: check the address"
        raise KnowledgeError(message)

    def _request(self, url: str, accept: Callable[[PageHeaders], object]) -> FetchedPage | str:
        """Return the page, or the address it redirects to."""
        cached = self._load(url)
        headers = {"Host": httpx.URL(url).netloc.decode()}
        if cached and cached.head.etag:
            headers["If-None-Match"] = cached.head.etag
        if cached and cached.head.modified:
            headers["If-Modified-Since"] = cached.head.modified
        response = self._send(url, headers)
        try:
            if response.status_code == _NOT_MODIFIED and cached:
                accept(cached.head)
                return cached
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return urljoin(url, response.headers["location"])
            if response.status_code != _OK:
                raise HttpStatusError(response.status_code)
            head = _head(url, response.headers)
            accept(head)
            page = FetchedPage(head, _body(response))
        finally:
            response.close()
        if (head.etag or head.modified) and "no-store" not in response.headers.get(
            "cache-control", ""
        ):
            self._save(page)
        return page

    def _send(self, url: str, headers: dict[str, str]) -> httpx.Response:
        """Send a request to the first of the host's checked addresses that can be reached."""
        target = httpx.URL(url)
        if target.scheme not in {"http", "https"} or not target.host or target.userinfo:
            message = "only http and https addresses without a password are read"
            raise KnowledgeError(message)
        unreachable: httpx.TransportError | None = None
        for address in self._resolve(target):
            request = self._client.build_request(
                "GET",
                target.copy_with(host=address, fragment=None),
                headers=headers,
                # The certificate is still checked against the name.
                extensions={"sni_hostname": target.host},
            )
            try:
                return self._client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                unreachable = error
        raise unreachable or httpx.ConnectError("the name has no address")

    def _resolve(self, target: httpx.URL) -> list[str]:
        port = target.port or (443 if target.scheme == "https" else 80)
        key = (target.host, port)
        if key not in self._addresses:
            try:
                infos = socket.getaddrinfo(target.host, port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                message = f"the host {target.host} is not known: check the address"
                raise KnowledgeError(message) from error
            self._addresses[key] = list(dict.fromkeys(str(info[4][0]) for info in infos))
        addresses = self._addresses[key]
        allowed = [a for a in addresses if self._allow_private or is_public(a)]
        if not allowed:
            message = (
                f"the address of {target.host} is private ({addresses[0]}): "
                "if you mean it, say --allow-private"
            )
            raise KnowledgeError(message)
        return allowed

    def _file(self, url: str) -> Path:
        return self._cache / hashlib.sha256(url.encode()).hexdigest()[:40]

    def _load(self, url: str) -> FetchedPage | None:
        """Return the cached page; None if there is none or it is incomplete."""
        try:
            first, body = self._file(url).read_bytes().split(b"\n", 1)
            head = json.loads(first)
            digest = head.pop("sha256")
            page = FetchedPage(PageHeaders(**head), body)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return page if hashlib.sha256(body).hexdigest() == digest else None

    def _save(self, page: FetchedPage) -> None:
        """Cache a page; a full disk loses the cache, but does not stop the crawl."""
        file = self._file(page.head.url)
        head = {**asdict(page.head), "sha256": hashlib.sha256(page.body).hexdigest()}
        scratch = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            scratch.write_bytes(json.dumps(head).encode() + b"\n" + page.body)
            scratch.replace(file)
        except OSError:
            scratch.unlink(missing_ok=True)


def _head(url: str, headers: httpx.Headers) -> PageHeaders:
    content = Message()
    content["content-type"] = headers.get("content-type", "")
    return PageHeaders(
        url=url,
        content_type=content.get_content_type() if headers.get("content-type") else "",
        charset=content.get_content_charset(),
        robots=", ".join(headers.get_list("x-robots-tag")).lower(),
        etag=headers.get("etag", ""),
        modified=headers.get("last-modified", ""),
    )


def _body(response: httpx.Response) -> bytes:
    """Read and unpack a body, within limits of size and time."""
    packing = response.headers.get("content-encoding", "identity").lower()
    if packing not in _GZIP | {"identity", ""}:
        message = f"it is packed as {packing}, though gzip was asked for"
        raise KnowledgeError(message)
    unpacker = zlib.decompressobj(wbits=31) if packing in _GZIP else None
    deadline = time.monotonic() + PAGE_SECONDS
    body = bytearray()
    for raw in response.iter_raw():
        if time.monotonic() > deadline:
            message = f"it took over {PAGE_SECONDS:.0f} s: try again later"
            raise KnowledgeError(message)
        try:
            remaining = MAX_PAGE_BYTES + 1 - len(body)
            body += unpacker.decompress(raw, remaining) if unpacker else raw
        except zlib.error as error:
            message = f"it is damaged: {error}"
            raise KnowledgeError(message) from error
        if len(body) > MAX_PAGE_BYTES:
            message = f"it is larger than {MAX_PAGE_BYTES // 2**20} MiB: split it"
            raise KnowledgeError(message)
    if unpacker and body and not unpacker.eof:
        message = "it was cut off on the way: try again"
        raise KnowledgeError(message)
    return bytes(body)
