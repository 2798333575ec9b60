"""The pages for visitors: a home's own site, its files and nothing else."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.conftest import DEMO
from ui import pages


@dataclass(frozen=True)
class Screen:
    base_url: str = "http://127.0.0.1:1"
    business: str = "Tea & <Cake>"
    home: Path | None = None


def client_of(home: Path | None, business: str = "Tea & <Cake>") -> TestClient:
    app = FastAPI()
    pages.mount(app, Screen(business=business, home=home))
    return TestClient(app)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    site = folder / "site"
    (site / "more").mkdir(parents=True)
    (site / "index.html").write_text('<html lang="$language">$business costs $5', "utf-8")
    (site / "more" / "a.html").write_text("$language", encoding="utf-8")
    (site / "style.css").write_text("a {}", encoding="utf-8")
    (site / ".secret.css").write_text("b {}", encoding="utf-8")
    (site / "notes.py").write_text("x = 1", encoding="utf-8")
    (folder / "careline.toml").write_text("", encoding="utf-8")
    (site / "link.txt").symlink_to(folder / "careline.toml")
    return folder


def test_the_homes_page_is_served_in_both_languages(home: Path) -> None:
    client = client_of(home)
    page = client.get("/")
    assert page.text == '<html lang="en">Tea &amp; &lt;Cake&gt; costs $5'
    assert client.get("/?lang=zh").text.startswith('<html lang="zh-CN">')
    assert client.get("/site/more/a.html?lang=zh").text == "zh-CN"
    for path in ("/", "/site/index.html", "/site/style.css"):
        answer = client.get(path)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (
            client.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
        )
    assert client.get("/site/style.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    "path",
    [
        *(".secret.css", "notes.py", "link.txt", "more", "", "absent.css", "../careline.toml"),
        *("%2e%2e/careline.toml", "..%2fcareline.toml", "/etc/passwd", "more/../../careline.toml"),
    ],
)
def test_nothing_else_is_served(home: Path, path: str) -> None:
    assert client_of(home).get(f"/site/{path}").status_code == 404


def test_a_home_without_a_site_has_a_neutral_page_with_the_widget(tmp_path: Path) -> None:
    for home in (None, tmp_path):
        page = client_of(home).get("/?lang=zh")
        assert 'src="/widget.js"' in page.text
        assert "Tea &amp; &lt;Cake&gt;" in page.text
        assert "Fernway" not in page.text
    assert "Careline" in client_of(None, "").get("/").text


def test_the_demos_page_needs_no_file_that_is_not_there() -> None:
    client = client_of(DEMO)
    for page in ("/", "/widget"):
        text = client.get(page).text
        for path in {part.split('"')[0].split("#")[0] for part in text.split('"/')[1:]}:
            if path.startswith(("site/", "pages/")):
                assert client.get(f"/{path}").status_code == 200, path
