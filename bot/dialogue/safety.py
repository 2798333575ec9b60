"""Safety checks of a message: emergencies, abuse and attacks. Pure.

They come before everything else. The built-in patterns are in `safety.yml`; a home's `policy.yml`
adds its own. They are strict on purpose: an ordinary question that merely contains such a word
must pass.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

import yaml

from bot.core.safe_regex import SlowPatternError, find_spans
from bot.dialogue.policy_file import PolicyContent, matches

_MAX_EXTRA_CHARACTERS: Final = 2  # around an insult, such as a full stop
_WITHDRAWS: Final = re.compile(
    r"(?:i )?(?:do ?n.?t|no longer|not any ?more) (?:want|need) "
    r"(?:to wait|a (?:human|person|colleague)|anybody|anyone)(?: any ?more)?|"
    r"(?:go |take me )?back to (?:the )?(?:bot|assistant)|cancel the (?:hand-?off|transfer)|"
    r"(?:never ?mind|forget it)[,. ]*(?:i(?:'ll| will)? .{0,40})?|"
    r"不(?:用|想|需要)(?:再)?(?:等|转|人工|轉).{0,8}|"
    r"(?:回到|转回|換回|换回)(?:机器人|助手|機器人).{0,4}|算了.{0,6}",
    re.IGNORECASE,
)


@cache
def _built_in() -> Mapping[str, tuple[re.Pattern[str], ...]]:
    path = resources.files("bot.dialogue") / "safety.yml"
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        kind: tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
        for kind, patterns in loaded.items()
    }


def _matches_built_in(kind: str, text: str) -> bool:
    return any(pattern.search(text) for pattern in _built_in()[kind])


def emergency(content: PolicyContent, text: str) -> str | None:
    """Return the template of the fixed answer to an emergency; None if there is none.

    The patterns of the home come first.

    Raises:
        SlowPatternError: a pattern of the home took too long and no built-in one matches.
    """
    slow: SlowPatternError | None = None
    for own in content.emergencies:
        try:
            if matches(own.patterns, text):
                return own.template
        except SlowPatternError as error:
            slow = error
    for kind in ("self_harm", "danger"):
        if _matches_built_in(kind, text):
            return f"emergency_{kind}"
    if slow:
        raise slow
    return None


def insults(content: PolicyContent, text: str) -> bool:
    """Return whether a text is meant to hurt the reader; swearing at a zip is not abuse."""
    return _matches_built_in("abuse", text) or matches(content.abuse, text)


def only_insults(content: PolicyContent, text: str) -> bool:
    """Return whether a message is nothing but an insult, without a request."""
    bare = text.strip()
    matched = [match.span() for own in _built_in()["abuse"] for match in own.finditer(bare)]
    matched += [span for own in content.abuse for span in find_spans(own, bare)]
    longest = max((end - start for start, end in matched), default=0)
    return longest > 0 and len(bare) - longest <= _MAX_EXTRA_CHARACTERS


def attacks(content: PolicyContent, text: str) -> bool:
    """Return whether a text tries to reveal instructions or others' data, or to bypass rules."""
    return _matches_built_in("attacks", text) or matches(content.refusals, text)


def withdraws(text: str) -> bool:
    """Return whether a customer in the queue no longer wants to wait."""
    return _WITHDRAWS.fullmatch(text.strip(" .!。！~")) is not None
