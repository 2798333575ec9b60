"""The language of the staff's screens, its locale: chosen above the tabs, stored in a cookie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

ENGLISH, CHINESE = "English", "中文"
COOKIE: Final = "careline_language"  # the login page and its guard read it too
_BY_CODE: Final = {"en": ENGLISH, "zh": CHINESE}
_EVENT: Final[Mapping[str, Any]] = {
    "concurrency_limit": None,  # only texts are returned: no need to wait for other events
    "show_progress": "hidden",
    "api_visibility": "private",
}
# Screen readers need the language of the page.
_SET_LANG: Final = f"""(locale) => {{
  document.documentElement.lang = locale === "{CHINESE}" ? "zh-CN" : "en";
}}"""
# Sets it at once and stores the choice for a year.
_STORE: Final = f"""(locale, open) => {{
  const code = locale === "{CHINESE}" ? "zh" : "en";
  document.cookie = `{COOKIE}=${{code}}; path=/; max-age=31536000; samesite=lax`;
  document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
  return [locale, open];
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
class TabLocale:
    """The locale of a tab.

    `locale` is the choice of the page. `shown` is the locale that the tab was last filled in: it
    changes when the tab is opened for the first time or in another locale, so that a tab nobody
    sees sends no requests.
    """

    locale: Any
    shown: Any
    labelled: list[tuple[Sequence[Any], Labels]] = field(default_factory=list)

    def add_labels(self, components: Sequence[Any], labels: Labels) -> None:
        """Register components and the function that returns their labels, in the same order."""
        self.labelled.append((components, labels))


class LocaleSwitch:
    """The choice of the locale, and all components whose labels follow it."""

    def __init__(self, open_tab: str) -> None:
        """Lay out the choice in the open blocks; `open_tab` is the tab that is shown first."""
        import gradio as gr

        self.locale = gr.Radio(
            [ENGLISH, CHINESE],
            value=ENGLISH,
            label="English / 中文",
            show_label=False,
            container=False,
            scale=0,
            elem_id="language",
        )
        self.open_tab = gr.State(open_tab)
        self._locales: dict[str, TabLocale] = {}
        self._tabs: dict[str, Any] = {}

    def add_tab(self, name: str, tab: Any) -> TabLocale:
        """Register a tab and return its locale."""
        import gradio as gr

        self._tabs[name] = tab
        self._locales[name] = TabLocale(self.locale, gr.State(None))
        return self._locales[name]

    def wire(self, page: Any, titles: Callable[[str], Mapping[str, str]]) -> None:
        """Connect the choice with all labels; `titles` returns those of the tabs in a locale."""
        import gradio as gr

        labelled = [pair for locale in self._locales.values() for pair in locale.labelled]
        tabs = [*self._tabs.values()]
        components = [*tabs, *(component for group, _ in labelled for component in group)]
        shown = [locale.shown for locale in self._locales.values()]

        def fill_open(locale: str, open_tab: str) -> list[Any]:
            return [locale if name == open_tab else gr.skip() for name in self._locales]

        def translate(locale: str, open_tab: str) -> list[Any]:
            """Return the labels of all tabs, and fill the open one."""
            names = [gr.update(label=titles(locale)[name]) for name in self._tabs]
            texts = [text for _, labels in labelled for text in labels(locale)]
            return [*names, *texts, *fill_open(locale, open_tab)]

        def load(open_tab: str) -> list[Any]:
            """Return the page in its reader's language; it is built in English."""
            locale = current_locale()
            if locale != ENGLISH:
                return [locale, *translate(locale, open_tab)]
            return [*[gr.skip()] * (1 + len(components)), *fill_open(locale, open_tab)]

        outputs = [*components, *shown]
        loaded = page.load(load, self.open_tab, [self.locale, *outputs], **_EVENT)
        loaded.then(None, self.locale, None, js=_SET_LANG, api_visibility="private")
        self.locale.input(translate, [self.locale, self.open_tab], outputs, js=_STORE, **_EVENT)
        for name, tab in self._tabs.items():
            tab.select(
                lambda locale, name=name: (locale, name),
                self.locale,
                [self._locales[name].shown, self.open_tab],
                **_EVENT,
            )


def preferred_locale(headers: Mapping[str, str]) -> str:
    """Return the locale of the cookie, or else the first one that browser and page share."""
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        cookies.clear()
    if COOKIE in cookies and cookies[COOKIE].value in _BY_CODE:
        return _BY_CODE[cookies[COOKIE].value]
    ranges = map(_parse_range, headers.get("accept-language", "").split(","))
    accepted = [(weight, code) for weight, code in ranges if weight > 0 and code in _BY_CODE]
    _, code = max(accepted, key=lambda pair: pair[0], default=(1.0, "en"))  # the first of equals
    return _BY_CODE[code]


def _parse_range(language_range: str) -> tuple[float, str]:
    """Return the weight and the code of a language of Accept-Language."""
    name, _, weight = language_range.partition(";q=")
    try:
        rank = float(weight) if weight else 1.0
    except ValueError:
        rank = 0.0
    return rank, name.strip().partition("-")[0].lower()


def current_locale() -> str:
    """Return the locale of the page whose event is handled now; English outside of events."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    return preferred_locale(dict(request.headers)) if request is not None else ENGLISH
