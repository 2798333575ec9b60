import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from knowledge_base.documents import Document
from knowledge_base.sources import loader
from knowledge_base.sources.loader import SourceFailure
from tests.knowledge_base.sources.files import pdf, word

GUIDE = """---
title: Sending things back
language: en
url: https://shop.example/returns
tags: [returns, refunds]
audience: customers
---

Before you start, read this.

# How to return

Print the [label](https://shop.example/label) and use the `RMA` code.
It is **free**.

- Pack the item
- Hand it in

## Costs

| Country | Fee |
|---------|-----|
| Norway  | 9 € |

```
RMA-1
RMA-2
```

# 退货

七天内可以退货。
"""

PAGE = """<!doctype html>
<html lang="zh-CN">
<head><title>配送说明</title><style>p {color: red}</style><script>track()</script></head>
<body>
<header>店铺菜单<nav>首页</nav></header>
<nav>面包屑</nav>
<main>
  <nav>目录</nav>
  <h1>配送</h1>
  <p>我们每天<b>发货</b>。<br>周末除外。</p><!-- 内部备注 -->
  <script>evil()</script>
  <table><tr><th>地区</th><th>时效</th></tr><tr><td>上海</td><td> 1 天 </td></tr></table>
  <h2>海外</h2>
  <ul><li>欧洲</li><li>美国</li></ul>
  <aside>广告</aside>
  尾注
</main>
<footer>版权所有</footer>
</body></html>
"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, name: str, content: str | bytes) -> list[Document | SourceFailure]:
    return list(loader.load([write(folder, name, content)]))


def document(folder: Path, name: str, content: str | bytes) -> Document:
    (only,) = read(folder, name, content)
    assert isinstance(only, Document), only
    return only


def failure(folder: Path, name: str, content: str | bytes) -> SourceFailure:
    (only,) = read(folder, name, content)
    assert isinstance(only, SourceFailure), only
    return only


def articles(folder: Path, *rows: dict[str, Any]) -> list[Document | SourceFailure]:
    return read(folder, "articles.jsonl", "\n".join(json.dumps(row) for row in rows))


def section_texts(loaded: Document) -> dict[tuple[str, ...], str]:
    return {s.headings: loaded.text[s.start : s.end] for s in loaded.sections}


def test_front_matter_describes_the_article(tmp_path: Path) -> None:
    loaded = document(tmp_path, "guide.md", GUIDE)
    assert loaded.id == "guide.md"
    assert loaded.title == "Sending things back"
    assert loaded.language == "en"
    assert loaded.url == "https://shop.example/returns"
    assert loaded.tags == ("returns", "refunds")
    assert loaded.audience == "customers"
    assert "audience" not in loaded.text


def test_markdown_sections_follow_the_path_of_headings(tmp_path: Path) -> None:
    loaded = document(tmp_path, "guide.md", GUIDE)
    assert list(section_texts(loaded)) == [
        (),
        ("How to return",),
        ("How to return", "Costs"),
        ("退货",),
    ]
    assert section_texts(loaded)["退货",] == "七天内可以退货。"


def test_markdown_keeps_the_words_and_drops_the_marks(tmp_path: Path) -> None:
    texts = section_texts(document(tmp_path, "guide.md", GUIDE))
    assert texts["How to return",] == (
        "Print the label and use the RMA code. It is free.\nPack the item\nHand it in"
    )


def test_markdown_tables_become_rows_and_code_stays(tmp_path: Path) -> None:
    text = section_texts(document(tmp_path, "guide.md", GUIDE))["How to return", "Costs"]
    assert text == "Country | Fee\nNorway | 9 €\n\nRMA-1\nRMA-2"


def test_the_first_heading_is_the_title_without_front_matter(tmp_path: Path) -> None:
    assert document(tmp_path, "a.md", "Hello.\n\n# Gift cards\n\nThey last.").title == "Gift cards"


def test_the_file_name_is_the_title_without_any_heading(tmp_path: Path) -> None:
    assert document(tmp_path, "opening-hours.md", "Nine to five.").title == "opening-hours"


def test_one_tag_in_front_matter_need_not_be_a_list(tmp_path: Path) -> None:
    assert document(tmp_path, "a.md", "---\ntags: returns\n---\nText.").tags == ("returns",)


@pytest.mark.parametrize(
    "meta",
    ["title: [unclosed", "title: a: b", "valid_until: 2026-02-30"],
    ids=["list", "map", "date"],
)
def test_bad_front_matter_is_named(tmp_path: Path, meta: str) -> None:
    failed = failure(tmp_path, "guide.md", f"---\n{meta}\n---\nText.")
    assert failed.path == "guide.md"
    assert "front matter" in failed.error


def test_text_between_two_rules_is_not_lost_as_front_matter(tmp_path: Path) -> None:
    loaded = document(tmp_path, "a.md", "---\n\nWe are closed in May.\n\n---\n\nOpen in June.")
    assert "closed in May" in loaded.text


def test_windows_line_ends_and_byte_order_marks_do_not_matter(tmp_path: Path) -> None:
    plain = document(tmp_path, "guide.md", GUIDE)
    windows = b"\xef\xbb\xbf" + GUIDE.replace("\n", "\r\n").encode()
    assert document(tmp_path, "guide.md", windows) == plain


def test_html_leaves_out_what_surrounds_the_article(tmp_path: Path) -> None:
    loaded = document(tmp_path, "page.html", PAGE)
    for said in ("菜单", "面包屑", "目录", "evil", "广告", "版权", "track", "color", "备注"):
        assert said not in loaded.text
    assert loaded.title == "配送说明"
    assert loaded.language == "zh"


def test_html_headings_make_sections_and_table_rows_stay_lines(tmp_path: Path) -> None:
    assert section_texts(document(tmp_path, "page.html", PAGE)) == {
        ("配送",): "我们每天发货。 周末除外。\n地区 | 时效\n上海 | 1 天",
        ("配送", "海外"): "欧洲\n美国\n\n尾注",
    }


def test_html_without_main_drops_navigation_and_footer(tmp_path: Path) -> None:
    page = "<body><header><nav>Menu</nav></header><p>We repair tents.</p><footer>©</footer></body>"
    loaded = document(tmp_path, "repairs.htm", page)
    assert loaded.text == "We repair tents."
    assert (loaded.title, loaded.language) == ("repairs", None)


def test_html_takes_its_title_from_a_heading_when_there_is_no_other(tmp_path: Path) -> None:
    assert document(tmp_path, "x.html", "<h2>Repairs</h2><p>Free.</p>").title == "Repairs"


def test_html_of_nothing_but_navigation_has_no_text(tmp_path: Path) -> None:
    assert "no text" in failure(tmp_path, "x.html", "<nav>Home</nav>").error


def test_plain_text_is_cut_into_paragraphs(tmp_path: Path) -> None:
    loaded = document(tmp_path, "shop_hours-today.txt", "Open at nine.\n\n\n  八点关门。\n")
    assert [line for line in loaded.text.split("\n") if line] == ["Open at nine.", "八点关门。"]
    assert loaded.title == "shop hours today"


def test_each_row_of_a_faq_is_an_article(tmp_path: Path) -> None:
    rows = "question,answer,language,tags\nHow long?,Two days.,en,ship;time\n多久？,两天。,zh,\n"
    first, second = read(tmp_path, "faq.csv", rows)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert (first.id, first.title, first.text) == ("faq.csv#1", "How long?", "Two days.")
    assert (first.tags, first.language) == (("ship", "time"), "en")
    assert (second.id, second.title, second.text) == ("faq.csv#2", "多久？", "两天。")
    assert second.sections[0].headings == ("多久？",)


def test_an_untagged_faq_row_has_no_tags(tmp_path: Path) -> None:
    assert document(tmp_path, "faq.csv", "question,answer\nHow long?,Two days.\n").tags == ()


def test_faq_rows_without_answer_are_skipped_and_numbers_stay(tmp_path: Path) -> None:
    loaded = document(tmp_path, "faq.csv", "question,answer\nHow?,\nWhy?,Because.\n")
    assert loaded.id == "faq.csv#2"


def test_faq_answers_may_hold_line_breaks_and_commas(tmp_path: Path) -> None:
    loaded = document(tmp_path, "faq.csv", 'question,answer\nHow?,"First, pack.\nThen send."\n')
    assert loaded.text == "First, pack.\nThen send."


def test_a_csv_that_is_no_faq_says_which_columns_it_wants(tmp_path: Path) -> None:
    error = failure(tmp_path, "stock.csv", "sku,count\n1,2\n").error
    assert "question and answer" in error
    assert "sku" in error


def test_jsonl_articles_carry_headings_and_details(tmp_path: Path) -> None:
    row = {
        "id": "kb-7",
        "title": "Returns",
        "headings": ["Costs"],
        "text": "Free for members.",
        "url": "https://shop.example/7",
        "language": "en",
        "tags": ["returns"],
        "audience": "members",
    }
    (loaded,) = articles(tmp_path, row)
    assert isinstance(loaded, Document)
    assert (loaded.id, loaded.title, loaded.text) == ("kb-7", "Returns", "Free for members.")
    assert loaded.sections[0].headings == ("Returns", "Costs")
    assert (loaded.sections[0].start, loaded.sections[0].end) == (0, len(loaded.text))
    assert (loaded.url, loaded.language) == ("https://shop.example/7", "en")
    assert (loaded.tags, loaded.audience) == (("returns",), "members")


def test_jsonl_text_is_kept_to_the_letter(tmp_path: Path) -> None:
    text = "  Two\u2028lines \r\n and 尾 "
    (loaded,) = articles(tmp_path, {"id": "a", "text": text})
    assert isinstance(loaded, Document)
    assert loaded.text == text


def test_a_bad_line_of_jsonl_is_named_and_earlier_articles_stay(tmp_path: Path) -> None:
    good = json.dumps({"id": "a", "text": "Fine."})
    loaded = read(tmp_path, "kb.jsonl", f'{good}\n\n{{"id": "b"}}\n')
    assert isinstance(loaded[0], Document)
    assert isinstance(loaded[1], SourceFailure)
    assert "line 3" in loaded[1].error


def test_a_jsonl_article_whose_text_is_null_does_not_say_none(tmp_path: Path) -> None:
    loaded = articles(tmp_path, {"id": "a", "text": None})
    assert not [item for item in loaded if isinstance(item, Document)]


def test_a_single_jsonl_heading_need_not_be_a_list(tmp_path: Path) -> None:
    (loaded,) = articles(tmp_path, {"id": "a", "text": "Free.", "headings": "Costs"})
    assert isinstance(loaded, Document)
    assert loaded.sections[0].headings == ("Costs",)


@pytest.mark.parametrize("key", ["headings", "tags"])
def test_jsonl_details_of_a_wrong_kind_are_named(tmp_path: Path, key: str) -> None:
    (failed,) = articles(tmp_path, {"id": "a", "text": "Free.", key: 3})
    assert isinstance(failed, SourceFailure)
    assert "line 1" in failed.error


def test_a_broken_character_in_jsonl_does_not_stop_the_rest(tmp_path: Path) -> None:
    loaded = read(tmp_path, "kb.jsonl", '{"id": "a", "text": "half an emoji \\ud83d"}')
    for item in loaded:
        if isinstance(item, Document):
            assert len(item.sha256) == 64
        else:
            assert "line 1" in item.error


def test_unknown_kinds_are_named_with_the_known_ones(tmp_path: Path) -> None:
    failed = failure(tmp_path, "slides.pptx", "x")
    assert failed.path == "slides.pptx"
    assert ".pptx" in failed.error
    assert ".md" in failed.error


def test_a_file_without_suffix_is_of_kind_none(tmp_path: Path) -> None:
    assert "'none'" in failure(tmp_path, "README", "hello").error


@pytest.mark.parametrize("content", ["", " \n\t\n", "\ufeff"])
def test_empty_files_are_named(tmp_path: Path, content: str) -> None:
    assert failure(tmp_path, "a.md", content) == SourceFailure("a.md", "it is empty", "empty")


def test_a_file_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    error = failure(tmp_path, "a.txt", "退货政策".encode("gbk")).error
    assert "not UTF-8" in error
    assert "byte 0" in error


def test_gzipped_files_are_read_like_plain_ones(tmp_path: Path) -> None:
    loaded = document(tmp_path, "guide.md.gz", gzip.compress(GUIDE.encode()))
    assert loaded.id == "guide.md.gz"
    assert loaded.text == document(tmp_path, "guide.md", GUIDE).text


@pytest.mark.parametrize(
    "content",
    [
        b"not a gzip file",
        gzip.compress(b"We repair tents." * 50)[:-12],
        gzip.compress(b"")[:10] + b"\xff" * 40,
    ],
    ids=["plain", "cut off", "damaged"],
)
def test_broken_gzip_files_are_named(tmp_path: Path, content: bytes) -> None:
    failed = failure(tmp_path, "guide.md.gz", content)
    assert failed.path == "guide.md.gz"
    assert "cannot be opened" in failed.error


def test_too_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "MAX_BYTES", 2**20)
    assert "split it" in failure(tmp_path, "a.txt", b"x" * (2**20 + 1)).error


def test_folders_are_walked_in_order_and_hidden_files_skipped(tmp_path: Path) -> None:
    write(tmp_path, "zh/b.md", "乙")
    write(tmp_path, "en/a.md", "A")
    write(tmp_path, ".drafts/c.md", "C")
    write(tmp_path, "en/.d.md", "D")
    loaded = [item.id for item in loader.load([tmp_path]) if isinstance(item, Document)]
    assert loaded == ["en/a.md", "zh/b.md"]


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "")
    write(tmp_path, "b.md", "Fine.")
    bad, good = loader.load([tmp_path])
    assert isinstance(bad, SourceFailure)
    assert isinstance(good, Document)


def test_a_missing_path_is_a_failure(tmp_path: Path) -> None:
    (failed,) = loader.load([tmp_path / "nowhere"])
    assert isinstance(failed, SourceFailure)
    assert failed.path == str(tmp_path / "nowhere")
    assert "no such" in failed.error


def test_the_hash_of_an_article_changes_with_everything_that_is_indexed(tmp_path: Path) -> None:
    before = document(tmp_path, "guide.md", GUIDE).sha256
    assert document(tmp_path, "guide.md", GUIDE).sha256 == before
    for old, new in (("free", "cheap"), ("## Costs", "## Fees"), ("en\n", "de\n")):
        assert document(tmp_path, "guide.md", GUIDE.replace(old, new, 1)).sha256 != before


def test_files_that_are_too_large_are_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / "export.html"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    tracemalloc.start()
    (failed,) = loader.load([path])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(failed, SourceFailure)
    assert "larger than 32 MiB: split it" in failed.error
    assert most < 2**20


def test_encodings_that_are_certain_or_declared_are_read(tmp_path: Path) -> None:
    chinese = "我们支持七天无理由退货，请在订单页面申请退款。"
    assert document(tmp_path, "a.txt", chinese.encode("gb18030")).text == chinese
    assert document(tmp_path, "b.md", chinese.encode("utf-16")).text == chinese
    page = b"<meta charset=gbk><p>" + "退货".encode("gbk")
    assert document(tmp_path, "c.html", page).text == "退货"
    rows = f"question,answer\n多久？,{chinese}\n".encode("gb18030")
    assert document(tmp_path, "d.csv", rows).text == chinese


def test_pdf_and_word_files_are_read(tmp_path: Path) -> None:
    assert document(tmp_path, "a.pdf", pdf([(72, 700, 12, "Printed.")])).text == "Printed."
    body = "<w:p><w:r><w:t>Written.</w:t></w:r></w:p>"
    assert document(tmp_path, "b.docx", word(body)).text == "Written."
    assert document(tmp_path, "c.docx.gz", gzip.compress(word(body))).text == "Written."


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.zip", "a.csv", "a.jsonl", "a.html"])
def test_empty_files_of_any_kind_are_named(tmp_path: Path, name: str) -> None:
    failed = failure(tmp_path, name, b"")
    assert failed.path == name
    assert "empty" in failed.error or "no readable zip" in failed.error


def test_the_hash_changes_with_the_dates_it_is_valid(tmp_path: Path) -> None:
    hashes = {
        document(tmp_path, "a.md", f"---\n{line}\n---\nText.").sha256
        for line in ("audience: x", "valid_from: 2026-01-01", "valid_until: 2026-01-01")
    }
    assert len(hashes) == 3
