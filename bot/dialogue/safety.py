"""What must not be overlooked in a message, whatever else it says: danger, abuse, attacks. Pure.

The built-in patterns are in `safety.yml`; a home's `policy.yml` adds its own. They are strict on
purpose: an ordinary question that merely contains such a word must pass.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

import yaml

from bot.core.safe_regex import SlowPatternError, find_spans
from bot.dialogue.policy_file import PolicyContent, matches

_AROUND: Final = 2  # characters, such as a full stop, that say nothing beside an insult
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


def _found(kind: str, text: str) -> bool:
    return any(pattern.search(text) for pattern in _built_in()[kind])


def emergency(content: PolicyContent, text: str) -> str | None:
    """Return the template of the fixed answer to an emergency, None where there is none.

    Own emergencies come first. Raises SlowPatternError where one of theirs cannot be searched for
    and no built-in one is found.
    """
    slow: SlowPatternError | None = None
    for own in content.emergencies:
        try:
            if matches(own.patterns, text):
                return own.template
        except SlowPatternError as error:
            slow = error
    for kind in ("self_harm", "danger"):
        if _found(kind, text):
            return f"emergency_{kind}"
    if slow:
        raise slow
    return None


def insults(content: PolicyContent, text: str) -> bool:
    """Tell words that are meant to hurt whoever answers; swearing at a zip is not abuse."""
    return _found("abuse", text) or matches(content.abuse, text)


def only_insults(content: PolicyContent, text: str) -> bool:
    """Tell a message that is an insult and nothing else: there is nothing in it to see to."""
    bare = text.strip()
    found = [match.span() for own in _built_in()["abuse"] for match in own.finditer(bare)]
    found += [span for own in content.abuse for span in find_spans(own, bare)]
    longest = max((end - start for start, end in found), default=0)
    return longest > 0 and len(bare) - longest <= _AROUND


def attacks(content: PolicyContent, text: str) -> bool:
    """Tell attempts to reveal instructions or other customers' data, or to set rules aside."""
    return _found("attacks", text) or matches(content.refusals, text)


def withdraws(text: str) -> bool:
    """Tell that somebody who waits for a person no longer wants to."""
    return _WITHDRAWS.fullmatch(text.strip(" .!。！~")) is not None
