"""Violations that axe-core finds on a page."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from playwright.sync_api import Page

_AXE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# Levels A and AA and the best practices; contrast at AAA is more than a brand's colour can give.
_OPTIONS: Final = """{ runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',
  'wcag22aa', 'best-practice'] }, resultTypes: ['violations'] }"""


@dataclass(frozen=True)
class Finding:
    """A fault: the rule, how bad it is, where it stands, and what stands there."""

    rule: str
    impact: str
    place: str
    html: str


def findings(page: Page) -> list[Finding]:
    """Return what axe finds now."""
    page.wait_for_timeout(300)  # what fades in is read when it is there
    page.evaluate(_AXE)
    violations: list[dict[str, Any]] = page.evaluate(f"axe.run(document, {_OPTIONS})")["violations"]
    return [
        Finding(
            violation["id"],
            violation["impact"],
            " ".join(map(str, node["target"])),
            node["html"][:200],
        )
        for violation in violations
        for node in violation["nodes"]
    ]
