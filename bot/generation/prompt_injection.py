"""Detection of prompt injection in documents: such sentences are never quoted.

Detected is what addresses a machine: "ignore your instructions", "in your answer …". Another order
is an odd sentence like any other, which is not relevant enough for replies.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from knowledge_base.chunking import sentences
from knowledge_base.documents import SearchHit

_RULES: Final = r"(?:instruction|prompt|rule|direction|guideline|guardrail|command|context)s?"
_VERBS: Final = "as|change|replace|write|make|keep|convert|translate|finish|begin|start|end"
_ORDERS: Final = re.compile(
    rf"""
    \b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{{0,60}}\b{_RULES}\b
    | \b(?:in|into|of|for|to|with|{_VERBS})
      \s[^.!?\n]{{0,40}}?\byour\s(?:\w+\s){{0,2}}?(?:answer|reply|replies|response|output)s?\b
    | ^\W*(?:please\s)?(?:answer|respond|reply)\s(?:only|always|solely|exclusively|in)\b
    | \byour\s(?:answer|reply|response|output)\s(?:must|should|has\sto|needs\sto|shall|will)\b
    | \b(?:reveal|print|show|repeat|output|tell\sme|leak)\b[^.!?\n]{{0,40}}\b(?:your|the\ssystem)\s
      (?:\w+\s){{0,2}}?(?:{_RULES}|secrets?)\b
    | \bsystem\sprompt\b | \bdeveloper\smode\b | \bjailbreak\b
    | \b(?:you\sare\snow|from\snow\son,?\syou|act\sas\s(?:if|an?|the))\b
    | \bpretend\s(?:to\sbe|that\syou|you)\b
    | \bas\san?\s(?:ai|a\.i\.|llm|language\smodel)\b
    | \b(?:ai|llm|language\smodel|chatbot|assistant)s?\b\s*[,:]\s*(?:please\s)?[a-z]+\b
    | \b(?:do\snot|don't|never)\s(?:tell|inform|mention\sto|let)\sthe\s(?:user|customer)s?\b
    | (?:忽略|无视|忘记|忘掉|忽视|绕过)[^。！？\n]{{0,20}}
      (?:指令|指示|提示|规则|命令|要求|限制|内容)
    | (?:在|把|将|用|以)?你的?(?:回答|回复|答复|输出|应答)[^。！？\n]{{0,12}}
      (?:必须|应该|应当|要|中|里|只|以|用|加|包含|改)
    | (?:输出|显示|告诉我|泄露|重复|打印)[^。！？\n]{{0,10}}
      (?:你的|系统)(?:指令|提示|提示词|规则|秘密)
    | 系统提示词? | 你现在是 | 从现在(?:开始|起)[，,]?你 | (?:请)?(?:扮演|假装)(?:你|成|一)
    | 作为(?:一个|一名)?(?:AI|人工智能|语言模型|大模型)
    | (?:不要|别|切勿|不得)(?:告诉|通知|告知)(?:用户|客户|顾客)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_injection(sentence: str) -> bool:
    """Return whether a sentence is an instruction to an assistant."""
    return bool(_ORDERS.search(sentence))


def remove_injections(hits: Sequence[SearchHit]) -> list[SearchHit]:
    """Return the hits without such sentences; a passage may become several, offsets stay valid.

    A passage without any other sentence is dropped.
    """
    return [part for hit in hits for part in _parts(hit)]


def _parts(hit: SearchHit) -> Iterator[SearchHit]:
    text = hit.chunk.text
    if not is_injection(text):  # the usual case
        yield hit
        return
    at = 0
    orders = [span for span in sentences(text) if is_injection(text[slice(*span)])]
    for start, end in [*orders, (len(text), len(text))]:
        if text[at:start].strip():
            yield replace(
                hit,
                chunk=replace(
                    hit.chunk,
                    text=text[at:start],
                    start=hit.chunk.start + at,
                    end=hit.chunk.start + start,
                ),
            )
        at = end
