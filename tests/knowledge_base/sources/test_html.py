import pytest

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources.html import read_html, read_links


def read(source: str) -> Document:
    (only,) = read_html(source, "page.html")
    return only


def test_meta_tags_describe_the_page() -> None:
    loaded = read(
        '<html lang="zh-Hans-CN"><head><meta name="Keywords" content="returns, gift cards">'
        '<meta name="audience" content="members"><meta name="valid_from" content="2026-01-01">'
        '<meta name="valid-until" content="2026-12-31">'
        '<link rel="canonical" href="https://help.example/r"></head><body><p>Text.</p></body></html>'
    )
    assert loaded.tags == ("returns", "gift cards")
    assert (loaded.audience, loaded.language) == ("members", "zh")
    assert (loaded.valid_from, loaded.valid_until) == ("2026-01-01", "2026-12-31")
    assert loaded.url == "https://help.example/r"


def test_the_language_may_stand_in_a_meta_tag() -> None:
    head = '<meta http-equiv="Content-Language" content="de-AT">'
    assert read(f"<head>{head}</head><p>Text.</p>").language == "de"
    assert read("<p>Text.</p>").language is None


def test_a_wrong_date_is_named() -> None:
    with pytest.raises(KnowledgeError, match="valid_from is 'May'"):
        read('<meta name="valid_from" content="May"><p>Text.</p>')


def test_a_relative_canonical_address_is_no_url() -> None:
    assert read('<link rel="canonical" href="/r"><p>Text.</p>').url is None


def test_items_rows_and_code_keep_their_lines() -> None:
    loaded = read(
        "<p>Bring:</p><ul><li>a tent</li><li><p>a bag</p><ul><li>red</li></ul></li></ul>after"
        "<table><caption>Fees</caption><tr><td>a<td>b<tr><td>c<td><table><tr><td>d</table></table>"
        "<table><tr><th>e</table><pre>one\n  two</pre><dl><dt>t<dd>d</dl>"
    )
    assert loaded.text == (
        "Bring:\na tent\na bag\nred\n\nafter\nFees\na | b\nc | d\n\ne\n\none\n  two\nt\nd"
    )


def test_a_page_of_very_many_nested_elements_is_read() -> None:
    loaded = read("<div>" * 20_000 + "deep" + "</div>" * 20_000)
    assert loaded.text == "deep"


def test_links_are_absolute_and_named_once() -> None:
    found = read_links(
        '<base href="/kb/"><a href="a">1</a><a href="a">2</a><a href="//o.example/">3</a><a>4</a>'
        '<a href=" ">5</a><nav><a href="?q=1">6</a></nav><a rel="NOFOLLOW" href="b">7</a>',
        "https://help.example/x/y",
    )
    assert found.links == (
        "https://help.example/kb/a", "https://o.example/", "https://help.example/kb/?q=1"
    )  # fmt: skip
    assert found.index
    assert found.canonical is None


@pytest.mark.parametrize(
    ("content", "links", "index"),
    [("nofollow", 0, True), ("noindex", 1, False), ("none", 0, False), ("all", 1, True)],
)
def test_pages_ask_not_to_be_followed_or_kept(content: str, links: int, index: bool) -> None:  # noqa: FBT001
    source = f"<meta name=robots content={content}><link rel='x canonical' href=c><a href=a>a</a>"
    found = read_links(source, "https://help.example/")
    assert (len(found.links), found.index) == (links, index)
    assert found.canonical == "https://help.example/c"
