import gzip
import io
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from knowledge_base.documents import Document
from knowledge_base.sources.crawling import crawler as crawling
from knowledge_base.sources.crawling import fetcher
from knowledge_base.sources.crawling.crawler import crawl, normalise_url
from knowledge_base.sources.crawling.fetcher import is_public
from knowledge_base.sources.document_builder import SourceFailure
from tests.knowledge_base.sources.files import pdf, word
from tests.knowledge_base.web import Answer, Site, serve


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def walk(
    site: Site, cache: Path, path: str = "/", *, depth: int = 3, **more: Any
) -> tuple[dict[str, Document], dict[str, str]]:
    """Return the documents by id and the reasons by URL, both without the host."""
    found = list(crawl(site.url + path, depth=depth, cache=cache, allow_private=True, **more))
    documents = [item for item in found if isinstance(item, Document)]
    assert len({d.id for d in documents}) == len(documents)
    return (
        {d.id.removeprefix(site.host): d for d in documents},
        {f.path.removeprefix(site.url): f.error for f in found if isinstance(f, SourceFailure)},
    )


def test_a_page_becomes_a_document_named_by_its_address(site: Site, cache: Path) -> None:
    site.page("/returns", "<h1>Returns</h1><p>Free for members.</p>", "<title>Returns</title>")
    documents, failed = walk(site, cache, "/returns#costs", depth=0)
    assert not failed
    loaded = documents["/returns"]
    assert loaded.id == f"{site.host}/returns"
    assert loaded.url == f"{site.url}/returns"
    assert (loaded.title, loaded.text, loaded.language) == ("Returns", "Free for members.", "en")


def test_links_are_followed_as_deep_as_asked(site: Site, cache: Path) -> None:
    site.page("/", "<p>Start</p><a href='a'>a</a>")
    site.page("/a", "<p>First</p><a href='/b?x=1#top'>b</a>")
    site.page("/b", "<p>Second</p><a href='/'>home</a>")
    assert set(walk(site, cache, depth=0)[0]) == {"/"}
    assert set(walk(site, cache, depth=1)[0]) == {"/", "/a"}
    assert set(walk(site, cache, depth=2)[0]) == {"/", "/a", "/b?x=1"}


def test_every_page_is_asked_for_once(site: Site, cache: Path) -> None:
    links = "<p>Text</p><a href='/'>1</a><a href='/b'>2</a><a href='/b#x'>3</a><a href='./b'>4</a>"
    site.page("/", links)
    site.page("/b", links)
    walk(site, cache)
    assert sorted(site.asked) == ["/", "/b", "/robots.txt"]


def test_other_hosts_and_other_ports_are_left_alone(site: Site, cache: Path) -> None:
    with serve() as other:
        other.page("/", "<p>Elsewhere</p>")
        links = f"<a href='{other.url}/'>1</a><a href='http://localhost/'>2</a>"
        site.page("/", f"<p>Here</p>{links}<a href='mailto:a@b.c'>3</a><a href='http://[x'>4</a>")
        documents, failed = walk(site, cache)
        assert set(documents) == {"/"}
        assert not failed
        assert not other.asked


def test_what_robots_forbid_is_not_asked_for(site: Site, cache: Path) -> None:
    rules = "User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /private\n"
    site.pages["/robots.txt"] = Answer(rules, "text/plain")
    site.page("/", "<p>Start</p><a href='/private/a'>no</a><a href='/public'>yes</a>")
    site.page("/private/a", "<p>Secret</p>")
    site.page("/public", "<p>Open</p>")
    assert set(walk(site, cache)[0]) == {"/", "/public"}
    assert "/private/a" not in site.asked


def test_a_rule_for_careline_itself_is_kept(site: Site, cache: Path) -> None:
    site.pages["/robots.txt"] = Answer("User-agent: careline\nDisallow: /\n", "text/plain")
    site.page("/", "<p>Start</p>")
    documents, failed = walk(site, cache)
    assert not documents
    assert "robots.txt forbids" in failed["/"]
    assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize(("status", "reason"), [(401, "forbids"), (403, "forbids"), (503, "later")])
def test_robots_that_cannot_be_read_forbid(
    site: Site, cache: Path, status: int, reason: str
) -> None:
    site.pages["/robots.txt"] = Answer("no", status=status)
    site.page("/", "<p>Start</p>")
    documents, failed = walk(site, cache)
    assert not documents
    assert reason in failed["/"]


def test_the_delay_that_robots_ask_for_is_kept(site: Site, cache: Path) -> None:
    site.pages["/robots.txt"] = Answer("User-agent: *\nCrawl-delay: 1\n", "text/plain")
    site.page("/", "<p>Start</p><a href='/a'>a</a>")
    site.page("/a", "<p>More</p>")
    started = time.monotonic()
    assert len(walk(site, cache)[0]) == 2
    assert time.monotonic() - started >= 2.0


def test_requests_name_careline(site: Site, cache: Path) -> None:
    site.page("/", "<p>Start</p>")
    walk(site, cache)
    assert all("careline" in headers["user-agent"] for headers in site.received)
    assert all(headers["host"] == site.host for headers in site.received)


def test_nofollow_links_and_pages_are_not_followed(site: Site, cache: Path) -> None:
    site.page("/", "<p>1</p><a rel='external nofollow' href='/a'>a</a><a href='/b'>b</a>")
    site.page("/a", "<p>2</p>")
    site.page("/b", "<p>3</p><a href='/c'>c</a>", "<meta name=ROBOTS content='index, NoFollow'>")
    site.page("/c", "<p>4</p>")
    assert set(walk(site, cache)[0]) == {"/", "/b"}


def test_noindex_pages_are_followed_but_no_documents(site: Site, cache: Path) -> None:
    site.page("/", "<p>List</p><a href='/a'>a</a>", "<meta name=robots content=noindex>")
    site.page("/a", "<p>Article</p><a href='/b'>b</a>", X_Robots_Tag="noindex, nofollow")
    site.page("/b", "<p>Never</p>")
    assert walk(site, cache) == ({}, {})
    assert sorted(site.asked) == ["/", "/a", "/robots.txt"]


def test_the_canonical_address_names_the_document(site: Site, cache: Path) -> None:
    canonical = "<link rel=canonical href='/returns'>"
    site.page("/", "<p>Start</p><a href='/returns?from=mail'>1</a><a href='/returns'>2</a>")
    site.page("/returns", "<p>Free.</p>", canonical)
    documents, failed = walk(site, cache)
    assert set(documents) == {"/", "/returns"}
    assert documents["/returns"].url == f"{site.url}/returns"
    assert not failed


def test_a_canonical_address_of_another_host_is_not_believed(site: Site, cache: Path) -> None:
    site.page("/", "<p>Ours.</p>", "<link rel=canonical href='https://bank.example/'>")
    documents, _ = walk(site, cache)
    assert documents["/"].url == f"{site.url}/"


def test_redirects_on_the_host_are_followed(site: Site, cache: Path) -> None:
    site.pages["/old"] = Answer(status=301, headers={"Location": "/new"})
    site.page("/new", "<p>Here now.</p>")
    documents, _ = walk(site, cache, "/old")
    assert documents["/new"].text == "Here now."


def test_redirects_to_forbidden_pages_and_other_hosts_are_not(site: Site, cache: Path) -> None:
    with serve() as other:
        other.page("/", "<p>Elsewhere</p>")
        site.pages["/robots.txt"] = Answer("User-agent: *\nDisallow: /private\n", "text/plain")
        site.page("/", "<p>Start</p>" + "".join(f"<a href='/{n}'>{n}</a>" for n in "abcd"))
        for name, target in (
            ("a", f"{other.url}/"), ("b", "/private"), ("c", "/c"), ("d", "file:///etc/passwd")
        ):  # fmt: skip
            site.pages[f"/{name}"] = Answer(status=302, headers={"Location": target})
        documents, failed = walk(site, cache)
        assert set(documents) == {"/"}
        assert "another host" in failed["/a"]
        assert "robots.txt forbids" in failed["/b"]
        assert "redirects more than" in failed["/c"]
        assert "another host" in failed["/d"]
        assert not other.asked
        assert "/private" not in site.asked


def test_private_addresses_are_refused_unless_allowed(site: Site, cache: Path) -> None:
    site.page("/", "<p>Inside</p>")
    port = site.url.rsplit(":", 1)[1]
    for host in ("127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433", "[::ffff:127.0.0.1]"):
        (only,) = crawl(f"http://{host}:{port}/", depth=0, cache=cache, allow_private=False)
        assert isinstance(only, SourceFailure), host
        assert "private" in only.error or "not known" in only.error, only
    assert not site.asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%2",
        "fc00::1", "fec0::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1",
        "64:ff9b::10.0.0.1", "2002:7f00:1::", "2002:0a00:0001::", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_of_no_public_network_are_told_apart(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "::ffff:8.8.8.8"])
def test_addresses_of_the_public_network_are_public(address: str) -> None:
    assert is_public(address)


def test_a_name_is_looked_up_once_and_held_to(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        if host == "127.0.0.1":
            return real(host, port, *rest, **named)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    port = site.url.rsplit(":", 1)[1]
    site.page("/", "<p>Start</p><a href='/a'>a</a>")
    site.page("/a", "<p>More</p>")
    found = list(crawl(f"http://help.test:{port}/", depth=1, cache=cache, allow_private=True))
    assert [d.id for d in found if isinstance(d, Document)] == [
        f"help.test:{port}/", f"help.test:{port}/a"
    ]  # fmt: skip
    assert asked == ["help.test"]
    assert {headers["host"] for headers in site.received} == {f"help.test:{port}"}


def test_a_name_that_leads_inside_is_refused(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inside(_host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    (only,) = crawl(site.url.replace("127.0.0.1", "a.test"), depth=0, cache=cache,
                    allow_private=False)  # fmt: skip
    assert isinstance(only, SourceFailure)
    assert "a.test is private (127.0.0.1)" in only.error
    assert not site.asked


@pytest.mark.parametrize(
    "headers", [{"ETag": '"v1"'}, {"Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"}]
)
def test_unchanged_pages_come_from_the_cache_with_their_links(
    site: Site, cache: Path, headers: dict[str, str]
) -> None:
    site.pages["/"] = Answer("<p>Start</p><a href='/a'>a</a>", headers=headers)
    site.page("/a", "<p>More</p>")
    before = walk(site, cache)
    site.pages["/"].body = "this is not sent"
    assert walk(site, cache) == before
    site.pages["/"] = Answer("<p>New</p>", headers=dict.fromkeys(headers, "other"))
    assert walk(site, cache)[0]["/"].text == "New"


def test_a_damaged_cache_is_asked_for_again(site: Site, cache: Path) -> None:
    site.pages["/"] = Answer("<p>Start</p>", headers={"ETag": '"v1"'})
    walk(site, cache)
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-3])
    assert walk(site, cache)[0]["/"].text == "Start"


def test_markdown_pdf_word_and_plain_text_are_read(site: Site, cache: Path) -> None:
    names = ("a.md", "b.pdf", "c.docx", "d.txt", "e", "f.md")
    links = "".join(f"<a href='/{n}'>{n}</a>" for n in names)
    site.page("/", f"<p>Start</p>{links}")
    site.pages["/a.md"] = Answer("# Heading\n\nMarkdown.", "text/markdown")
    site.pages["/b.pdf"] = Answer(pdf([(72, 700, 12, "Printed words.")]), "application/pdf")
    site.pages["/c.docx"] = Answer(word("<w:p><w:r><w:t>Word.</w:t></w:r></w:p>"), crawling_word())
    site.pages["/d.txt"] = Answer("Plain.", "text/plain")
    site.pages["/e"] = Answer("退货政策说明".encode("gb18030"), "text/plain; charset=gb2312")
    site.pages["/f.md"] = Answer("# Top\n\nRaw.", "text/plain")
    documents, failed = walk(site, cache)
    assert not failed
    assert {path: d.text for path, d in documents.items()} == {
        "/": "Start" + "\n\n" + "".join(names), "/a.md": "Markdown.", "/b.pdf": "Printed words.",
        "/c.docx": "Word.", "/d.txt": "Plain.", "/e": "退货政策说明", "/f.md": "Raw.",
    }  # fmt: skip
    assert documents["/f.md"].title == "Top"


def crawling_word() -> str:
    (kind,) = (kind for kind, suffix in crawling._KINDS.items() if suffix == ".docx")
    return kind


def test_pages_that_cannot_be_read_are_named_and_the_rest_goes_on(site: Site, cache: Path) -> None:
    links = "".join(f"<a href='/{n}'>{n}</a>" for n in ("gone", "odd", "pic", "empty", "good"))
    site.page("/", f"<p>Start</p>{links}")
    site.pages["/odd"] = Answer("x", "application/x-odd")
    site.pages["/pic"] = Answer("x", "image/png")
    site.pages["/empty"] = Answer("", "text/plain")
    site.page("/good", "<p>Good.</p>")
    documents, failed = walk(site, cache)
    assert set(documents) == {"/", "/good"}
    assert set(failed) == {"/gone", "/odd", "/empty"}
    assert "404" in failed["/gone"]
    assert "application/x-odd" in failed["/odd"]
    assert "empty" in failed["/empty"]


def test_a_picture_one_asks_for_is_told_of(site: Site, cache: Path) -> None:
    site.pages["/pic"] = Answer("x", "image/png")
    assert "no text" in walk(site, cache, "/pic")[1]["/pic"]


def test_the_number_of_pages_is_limited(site: Site, cache: Path) -> None:
    site.page("/", "<p>0</p>" + "".join(f"<a href='/{n}'>{n}</a>" for n in range(9)))
    for number in range(9):
        site.page(f"/{number}", f"<p>Page {number}</p>")
    documents, failed = walk(site, cache, limit=4)
    assert len(documents) == 4
    assert "more than 4 pages" in failed["/"]
    assert len(site.asked) == 5


def test_large_pages_are_not_read_to_their_end(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "MAX_PAGE_BYTES", 2**20)
    packed = {"Content-Encoding": "gzip"}
    site.pages["/plain"] = Answer("x" * (2**20 + 1), "text/plain")
    site.pages["/bomb"] = Answer(gzip.compress(b"x" * 50 * 2**20), "text/plain", headers=packed)
    assert "split it" in walk(site, cache, "/plain")[1]["/plain"]
    assert "split it" in walk(site, cache, "/bomb")[1]["/bomb"]


def test_packed_pages_are_unpacked_and_broken_ones_named(site: Site, cache: Path) -> None:
    whole = gzip.compress(b"<p>Packed.</p>" * 100)
    for path, body, packing in (
        ("/", whole, "gzip"), ("/cut", whole[:-20], "gzip"), ("/odd", whole, "br")
    ):  # fmt: skip
        site.pages[path] = Answer(body, headers={"Content-Encoding": packing})
    assert "Packed." in walk(site, cache)[0]["/"].text
    assert "cut off" in walk(site, cache, "/cut")[1]["/cut"]
    assert "br" in walk(site, cache, "/odd")[1]["/odd"]


def test_a_server_that_is_not_there_is_a_failure(cache: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        (only,) = crawl(url, depth=0, cache=cache, allow_private=True)
    assert isinstance(only, SourceFailure)
    assert "cannot be reached" in only.error


@pytest.mark.parametrize("url", ["ftp://a.example/", "https://", "help.example.com"])
def test_what_is_no_web_address_is_a_failure(cache: Path, url: str) -> None:
    (only,) = crawl(url, depth=0, cache=cache, allow_private=False)
    assert isinstance(only, SourceFailure)
    assert "no web address" in only.error


def test_passwords_in_addresses_are_refused(site: Site, cache: Path) -> None:
    url = site.url.replace("http://", "http://user:secret@")
    (only,) = crawl(url, depth=0, cache=cache, allow_private=True)
    assert isinstance(only, SourceFailure)
    assert "password" in only.error


def test_addresses_are_compared_in_one_way() -> None:
    assert normalise_url("HTTP://Help.Example:80/a/../b#x") == "http://help.example/b"
    assert normalise_url("https://help.example") == "https://help.example/"


def test_an_archive_is_no_page(site: Site, cache: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.md", "Text.")
    site.pages["/kb.zip"] = Answer(packed.getvalue(), "application/zip")
    assert "application/zip" in walk(site, cache, "/kb.zip")[1]["/kb.zip"]
