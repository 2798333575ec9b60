"""The language of the staff's screens: chosen once above the tabs, kept in the browser's cookie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

ENGLISH, CHINESE = "English", "中文"
COOKIE: Final = "careline_language"  # the login page and its guard read it too
_BY_CODE: Final = {"en": ENGLISH, "zh": CHINESE}
_AT_ONCE: Final[Mapping[str, Any]] = {
    "concurrency_limit": None,  # words are all that is asked for: they wait for no other event
    "show_progress": "hidden",
    "api_visibility": "private",
}
# Tells a screen reader how to read the page, and parts of it in which language to be.
_READ: Final = f"""(tongue) => {{
  document.documentElement.lang = tongue === "{CHINESE}" ? "zh-CN" : "en";
}}"""
# Does so at once where it was chosen, and keeps that for a year.
_KEEP: Final = f"""(tongue, open) => {{
  const code = tongue === "{CHINESE}" ? "zh" : "en";
  document.cookie = `{COOKIE}=${{code}}; path=/; max-age=31536000; samesite=lax`;
  document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
  return [tongue, open];
}}"""

CSS: Final = """
#page-head { align-items: center; flex-wrap: nowrap; }
#page-head > :first-child { padding: 0; }
#page-head h1 { margin: 0; font-size: 1rem; font-weight: 600; }
#language { flex: none; width: auto; min-width: 0 !important; }
#language .wrap { flex-wrap: nowrap; justify-content: flex-end; }
#language label { padding: .2rem .6rem; font-size: .85rem; }
"""

Labels = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class TabLanguage:
    """What a tab is given: the choice, and the language it is to be filled in.

    `shown` changes when the tab is opened for the first time, and when it is open, or opened again,
    in another language: a tab that nobody sees asks the server for nothing.
    """

    tongue: Any
    shown: Any
    named: list[tuple[Sequence[Any], Labels]] = field(default_factory=list)

    def name(self, components: Sequence[Any], labels: Labels) -> None:
        """Say what has words on it, and which ones in a language, in the same order."""
        self.named.append((components, labels))


class LanguageSwitch:
    """The choice itself: what was opened, and every word that hangs on it."""

    def __init__(self, opened: str) -> None:
        """Lay the choice out where the blocks are open; `opened` is the tab that is seen first."""
        import gradio as gr

        self.tongue = gr.Radio(
            [ENGLISH, CHINESE],
            value=ENGLISH,
            label="English / 中文",
            show_label=False,
            container=False,
            scale=0,
            elem_id="language",
        )
        self.open = gr.State(opened)
        self._places: dict[str, TabLanguage] = {}
        self._tabs: dict[str, Any] = {}

    def place(self, name: str, tab: Any) -> TabLanguage:
        """Return what the tab of this name is given."""
        import gradio as gr

        self._tabs[name] = tab
        self._places[name] = TabLanguage(self.tongue, gr.State(None))
        return self._places[name]

    def wire(self, page: Any, titles: Callable[[str], Mapping[str, str]]) -> None:
        """Join the choice with all words; `titles` are those of the tabs in a language."""
        import gradio as gr

        said = [named for place in self._places.values() for named in place.named]
        tabs = [*self._tabs.values()]
        words = [*tabs, *(component for components, _ in said for component in components)]
        shown = [place.shown for place in self._places.values()]

        def told(tongue: str, opened: str) -> list[Any]:
            """Return the words of all tabs, and fill the one that is seen."""
            called = [gr.update(label=titles(tongue)[name]) for name in self._tabs]
            labels = [label for _, labels in said for label in labels(tongue)]
            here = [tongue if name == opened else gr.skip() for name in self._places]
            return [*called, *labels, *here]

        def begin(opened: str) -> list[Any]:
            """Return the page in its reader's language; it is built in English."""
            tongue = spoken()
            if tongue != ENGLISH:
                return [tongue, *told(tongue, opened)]
            here = [tongue if name == opened else gr.skip() for name in self._places]
            return [*[gr.skip()] * (1 + len(words)), *here]

        begun = page.load(begin, self.open, [self.tongue, *words, *shown], **_AT_ONCE)
        begun.then(None, self.tongue, None, js=_READ, api_visibility="private")
        self.tongue.input(told, [self.tongue, self.open], [*words, *shown], js=_KEEP, **_AT_ONCE)
        for name, tab in self._tabs.items():
            tab.select(
                lambda tongue, name=name: (tongue, name),
                self.tongue,
                [self._places[name].shown, self.open],
                **_AT_ONCE,
            )


def wanted(headers: Mapping[str, str]) -> str:
    """Return the language that was chosen, else the first one of the browser's that is known."""
    found: SimpleCookie = SimpleCookie()
    try:
        found.load(headers.get("cookie", ""))
    except CookieError:
        found.clear()
    if COOKIE in found and found[COOKIE].value in _BY_CODE:
        return _BY_CODE[found[COOKIE].value]
    ranked = map(_ranked, headers.get("accept-language", "").split(","))
    known = [(rank, code) for rank, code in ranked if rank > 0 and code in _BY_CODE]
    best = max(known, key=lambda one: one[0], default=(1.0, "en"))  # of equals the first
    return _BY_CODE[best[1]]


def _ranked(accepted: str) -> tuple[float, str]:
    """Return how much a language of Accept-Language is wanted, and its code."""
    name, _, weight = accepted.partition(";q=")
    try:
        rank = float(weight) if weight else 1.0
    except ValueError:
        rank = 0.0
    return rank, name.strip().partition("-")[0].lower()


def spoken() -> str:
    """Return the language of the page whose event is handled now; English outside of events."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    return wanted(dict(request.headers)) if request is not None else ENGLISH
