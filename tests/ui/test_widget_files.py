"""The scripts as they are served: small, whole, and written so that they can be put together."""

import gzip
import re
from importlib.resources import files
from itertools import pairwise

import httpx
import pytest

from tests.running import Server
from ui import widget

_WORD = re.compile(r"(?:^ +|, )(\w+): ?[\"(\n]", re.MULTILINE)
_STATEMENT = re.compile(r";\n")


def sources() -> dict[str, str]:
    folder = files("ui") / "widget"
    names = (*widget.MODULES, *widget.SEPARATE)
    return {name: (folder / f"{name}.js").read_text("utf-8") for name in names}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_widget_is_at_most_12_kilobytes(server: Server, language: str) -> None:
    sizes = {}
    for path in ("widget.js", f"widget/words-{language}.js"):
        headers = {"Accept-Encoding": "gzip"}
        with httpx.stream("GET", f"{server.url}/{path}", headers=headers) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            packed = b"".join(answer.iter_raw())
        assert gzip.decompress(packed)
        sizes[path] = len(packed)
    assert sum(sizes.values()) <= 12_000, sizes


def test_who_takes_no_gzip_gets_the_same_script(server: Server) -> None:
    plain = httpx.get(f"{server.url}/widget.js", headers={"Accept-Encoding": "identity"})
    packed = httpx.get(f"{server.url}/widget.js")
    assert plain.text == packed.text
    assert "content-encoding" not in plain.headers
    again = {"If-None-Match": plain.headers["etag"]}
    assert httpx.get(f"{server.url}/widget.js", headers=again).status_code == 304


def test_modules_import_what_stands_before_them() -> None:
    earlier: set[str] = set()
    scripts = sources()
    for name in widget.MODULES:
        imported = set(
            re.findall(
                r'^import .*?from "\./([\w-]+)\.js";', scripts[name], re.MULTILINE | re.DOTALL
            )
        )
        assert imported <= earlier, name
        earlier.add(name)
    for name in widget.SEPARATE:
        assert "import " not in scripts[name]


def test_no_name_stands_at_the_top_of_two_modules() -> None:
    pattern = re.compile(
        r"^(?:export )?(?:async )?(?:const|let|class|function\*?) (\w+)", re.MULTILINE
    )
    scripts = sources()
    names = [name for module in widget.MODULES for name in pattern.findall(scripts[module])]
    assert len(names) == len(set(names))


def test_patterns_stand_first_in_a_run_of_constants() -> None:
    """The minifier puts patterns before other constants: what they read must not change by it."""
    for name, text in sources().items():
        statements = [
            part.strip() for part in _STATEMENT.split(re.sub(r"//.*|/\*.*?\*/", "", text))
        ]
        for statement, following in pairwise(statements):
            last = re.split(r"\n\s*(?=(?:const|let) )|\{\n\s*", statement)[-1]
            follows = re.match(r"(const|let) \w", last)
            pattern = re.match(r"(const|let) [\[{].*= .*(\(|await)", following, re.DOTALL)
            assert not (follows and pattern), f"{name}: {following[:80]}"


def test_nothing_but_text_reaches_the_page() -> None:
    for name, text in sources().items():
        for risky in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert risky not in text, name


def test_both_languages_have_the_same_words() -> None:
    scripts = sources()
    words = [set(_WORD.findall(scripts[f"words-{code}"])) for code in ("en", "zh")]
    assert words[0] == words[1]
