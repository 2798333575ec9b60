"""What a check of the dialogs found: in the server's words, or by its keys in Chinese."""

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
# In place of a suggestion that is a sentence; what is damaged is shown mended.
_ADVICE: Final = {"confused": "请合并，或在 intents.md 中写明两者的界限", "encoding": ""}
SEVERITIES: Final = {"error": "错误", "warning": "警告", "info": "提示"}
_HEAD: Final = (
    "{files} 个文件中的 {examples} 条文字：{found} 个问题，{error} 个错误，{warning} 个警告"
)


def report(found: Json, tongue: str) -> str:
    """Return the report of a check; its first line is its sum."""
    groups = found.get("groups")
    if tongue != CHINESE or groups is None:  # none: it was checked before there were any
        return str(found["report"])
    counts = found["counts"]
    told = {**counts, "files": len(found["files"]), "examples": found["examples"]}
    lines = [_HEAD.format(**told, found=sum(counts.values()))]
    for group in groups:
        kind, severity, shown = group["kind"], group["severity"], group["lines"]
        title = f"{SEVERITIES.get(severity, severity)}：{KINDS.get(kind, kind)}"
        lines.append(f"\n{title}（{group['count']}）")
        lines += ["  " + "  ".join(_parts(kind, line)) for line in shown]
        if group["count"] > len(shown):
            lines.append(f"  … 还有 {group['count'] - len(shown)} 个")
    return "\n".join(lines)


def _parts(kind: str, told: Json) -> Iterator[str]:
    if "places" in told:
        more = f" 及另外 {told['more']} 处" if told["more"] else ""
        yield "、".join(told["places"]) + more
    if "intent" in told:
        yield told["intent"]
    if "texts" in told:
        yield f"{told['texts']} 条"
    if "score" in told:
        yield told["score"]
    if "text" in told:
        yield f"“{told['text']}”"
    if suggestion := _ADVICE.get(kind, told.get("suggestion")):
        yield f"→ {suggestion}"
    if "mended" in told:
        yield f"“{told['mended']}”" if told["mended"] else "请重新填写"
