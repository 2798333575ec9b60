"""Words that negate, in English and Chinese."""

from typing import Final

# The source of a regular expression, to be used in larger ones; case is ignored.
NEGATION: Final = (
    r"\b(?:not(?! only\b)|never|no(?! (?:more|less|fewer|later|longer|sooner|matter)\b)|none|nor"
    r"|neither|cannot|without|unable|impossible|hardly|refus(?:e[sd]?|ing)|declin(?:e[sd]?|ing)"
    r"|reject(?:s|ed|ing)?|forbid(?:s|den)?|prohibit(?:s|ed)?|ban(?:s|ned)?|den(?:y|ies|ied)"
    r"|fail(?:s|ed)? to|lacks?|stop(?:s|ped)?|no longer|unavailable|ineligible|nowhere|nobody)\b"
    r"|\bnon-(?=[a-z])|n[’']t\b"
    r"|不(?![同仅但过久妨错论管断少满足到超])|没有?|未(?!来)|无(?!论|数|锡|线)|勿|别(?=再|忘|用|把)|禁止|拒绝"
    r"|谢绝|停止|并非|绝非|非(?=[法本卖官会])|不足以|难以|恕"
)
