"""Knowledge is built again from where it came from."""

from pathlib import Path

import pytest

from bot.container import Home, build
from bot.core.types import CarelineError


def articles(home: Home) -> set[str]:
    knowledge = home.knowledge()
    assert knowledge
    return set(knowledge.documents)


def test_what_came_from_elsewhere_stays_when_the_homes_articles_change(
    home: Home, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kites.md").write_text("# Kites\nThey fly.\n", encoding="utf-8")
    inside = home.path / "more"
    inside.mkdir()
    (inside / "boats.md").write_text("# Boats\nThey swim.\n", encoding="utf-8")
    own = articles(home)
    build.ingest(home, [elsewhere, inside])
    assert articles(home) == {"kites.md", "boats.md"}
    found = home.knowledge_versions.current()
    assert found
    assert found.details["origin"]["places"] == [str(elsewhere), "more"]
    (home.path / "kb" / "new.md").write_text("# New\nFresh.\n", encoding="utf-8")
    done = build.ingest_again(home)
    assert articles(home) == own | {"kites.md", "boats.md", "new.md"}
    assert done.version.details["origin"]["places"] == [str(elsewhere), "more", "kb"]
    (elsewhere / "kites.md").unlink()
    elsewhere.rmdir()
    with pytest.raises(CarelineError, match="which is not there"):
        build.ingest_again(home)
    assert articles(home) >= {"kites.md"}
