"""The report of a check of the dialogs: the server's in English, from its keys in Chinese."""

from collections.abc import Iterator
from typing import Final

from ui.client.http_client import Json
from ui.i18n import CHINESE

KINDS: Final = {
    "duplicate": "同一句话以同一意图出现多次",
    "conflict": "同一句话有两个意图",
    "leak": "同一句话既用于训练又用于测试",
    "near_leak": "几乎相同的话既用于训练又用于测试",
    "label_error": "意图可能标错",
    "confused": "容易混淆的意图",
    "tiny_class": "样本太少、学不会的意图",
    "unbalanced": "样本比通常多十倍或少十倍的意图",
    "personal_data": "个人信息",
    "encoding": "乱码",
    "empty": "没有文字",
    "no_intent": "没有意图",
    "short": "只有一个字符",
    "long": "过长的文字",
}
# Replaces suggestions that are sentences; damaged text has its own "mended" field.
_ADVICE: Final = {"confused": "请合并，或在 intents.md 中写明两者的界限", "encoding": ""}
SEVERITIES: Final = {"error": "错误", "warning": "警告", "info": "提示"}
_HEAD: Final = (
    "{files} 个文件中的 {examples} 条文字：{found} 个问题，{error} 个错误，{warning} 个警告"
)


def report(result: Json, locale: str) -> str:
    """Return the report of a check; its first line is the summary."""
    groups = result.get("groups")
    if locale != CHINESE or groups is None:  # a result of an older version
        return str(result["report"])
    counts = result["counts"]
    facts = {**counts, "files": len(result["files"]), "examples": result["examples"]}
    lines = [_HEAD.format(**facts, found=sum(counts.values()))]
    for group in groups:
        kind, severity, issues = group["kind"], group["severity"], group["lines"]
        title = f"{SEVERITIES.get(severity, severity)}：{KINDS.get(kind, kind)}"
        lines.append(f"\n{title}（{group['count']}）")
        lines += ["  " + "  ".join(_parts(kind, issue)) for issue in issues]
        if group["count"] > len(issues):
            lines.append(f"  … 还有 {group['count'] - len(issues)} 个")
    return "\n".join(lines)


def _parts(kind: str, facts: Json) -> Iterator[str]:
    if "places" in facts:
        more = f" 及另外 {facts['more']} 处" if facts["more"] else ""
        yield "、".join(facts["places"]) + more
    if "intent" in facts:
        yield facts["intent"]
    if "texts" in facts:
        yield f"{facts['texts']} 条"
    if "score" in facts:
        yield facts["score"]
    if "text" in facts:
        yield f"“{facts['text']}”"
    if suggestion := _ADVICE.get(kind, facts.get("suggestion")):
        yield f"→ {suggestion}"
    if "mended" in facts:
        yield f"“{facts['mended']}”" if facts["mended"] else "请重新填写"
