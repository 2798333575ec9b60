"""What the page of figures says, in English and in Chinese."""

from typing import Final

ENGLISH, CHINESE = "English", "中文"

_EN: Final = {
    "days": "Period",
    "last": "last {n} days",
    "channel": "Channel",
    "language": "Language",
    "all": "all",
    "synthetic": "Count made-up conversations",
    "csv": "Export CSV",
    "conversations": "Conversations",
    "deflection": "Deflection",
    "satisfaction": "CSAT",
    "first": "First word",
    "handoff": "Handed to people",
    "suggestions": "Suggestions used",
    "cost": "Cost",
    "before": "before: {value}",
    "nothing": "No conversations in this period. Choose a longer one, or try the page with "
    "`careline simulate`.",
    "made_up": "Made-up conversations are counted here.",
    "defined": "**Deflection** is the share of conversations that ended confirmed or assumed and "
    "whose customer did not begin another one within 7 days ({again} did). *Confirmed* "
    "({confirmed}): the last rating was a thumb up, or CSAT 4 or 5. *Assumed* ({assumed}): "
    "answered, and the customer left without a complaint. *Abandoned* ({abandoned}): "
    "asked back, no answer. "
    "*Unhappy* ({unhappy}): a thumb down, or CSAT 1 or 2. *Handed over* ({handoff}): a person was "
    "asked for. First word and whole reply: median {p50} and {reply} ms, 95th percentile {p95} and "
    "{reply95} ms.",
    "outcomes": "Conversations a day, by how they ended",
    "confirmed": "confirmed",
    "assumed": "assumed",
    "abandoned": "abandoned",
    "unhappy": "unhappy",
    "handed": "handed over",
    "routes": "Replies by route",
    "template": "template",
    "retrieve": "knowledge",
    "clarify": "question back",
    "act": "action",
    "route_handoff": "hand-off",
    "voice": "Voice of the customer: share of negative messages, by topic and day",
    "voice_none": "no messages",
    "intents": "Intents (choose a row to see its unhappy conversations)",
    "intent_columns": "Intent|Messages|Before|Change|Negative",
    "articles": "Articles (choose a row to see where it was cited)",
    "article_columns": "Article|Cited|Opened|Thumbs up|Thumbs down",
    "surge": "**{topic}**: {observed} negative messages on {first}, {expected} expected",
    "surge_changes": "Before it: {changes}",
    "surge_none": "No surge of negative messages in this period.",
    "behind": "{count} conversations: {name}. Choose one to read it.",
    "behind_columns": "Conversation|Day|Channel|Language|Ended|Intents",
    "transcript": "Transcript",
    "gaps": "Questions without an answer",
    "find_gaps": "Group the questions without an answer",
    "gap": "Subject",
    "draft": "Draft an article",
    "drafted": "`drafts/{path}` was written. Complete and publish it in the workshop.",
    "gaps_none": "Every question of this period got an answer.",
    "gap_line": "{count} × {name}",
    "csat_n": "{n} ratings",
    "accepted": "{chosen} of {offered}",
}
_ZH: Final = {
    "days": "时段",
    "last": "最近 {n} 天",
    "channel": "渠道",
    "language": "语言",
    "all": "全部",
    "synthetic": "计入模拟对话",
    "csv": "导出 CSV",
    "conversations": "对话数",
    "deflection": "自助解决率",
    "satisfaction": "满意度",
    "first": "首字时间",
    "handoff": "转人工",
    "suggestions": "建议采用率",
    "cost": "费用",
    "before": "上期：{value}",
    "nothing": "这个时段没有对话。请选择更长的时段，或用 `careline simulate` 试用本页。",
    "made_up": "这里计入了模拟对话。",
    "defined": "**自助解决率**：以“已确认”或“推定解决”结束、且顾客 7 天内没有再来的对话所占比例"
    "（再来：{again}）。*已确认*（{confirmed}）：最后评价为赞，或满意度 4–5 分。"
    "*推定解决*（{assumed}）：已回答，顾客没有抱怨就离开。*放弃*（{abandoned}）：助手反问后没有回应。"
    "*不满*（{unhappy}）：踩，或满意度 1–2 分。"
    "*转人工*（{handoff}）：需要人工。首字和完整回复：中位数 {p50} 和 {reply} 毫秒，95 分位"
    " {p95} 和 {reply95} 毫秒。",
    "outcomes": "每日对话及其结果",
    "confirmed": "已确认",
    "assumed": "推定解决",
    "abandoned": "放弃",
    "unhappy": "不满",
    "handed": "转人工",
    "routes": "回复的去向",
    "template": "模板",
    "retrieve": "知识库",
    "clarify": "反问",
    "act": "操作",
    "route_handoff": "转人工",
    "voice": "顾客之声：各主题每日负面消息占比",
    "voice_none": "没有消息",
    "intents": "意图（点一行查看不满的对话）",
    "intent_columns": "意图|消息|上期|变化|负面",
    "articles": "文章（点一行查看引用它的对话）",
    "article_columns": "文章|引用|打开|赞|踩",
    "surge": "**{topic}**：{first} 有 {observed} 条负面消息，预期 {expected} 条",
    "surge_changes": "此前的变更：{changes}",
    "surge_none": "这个时段没有负面消息激增。",
    "behind": "{count} 个对话：{name}。点一行阅读。",
    "behind_columns": "对话|日期|渠道|语言|结果|意图",
    "transcript": "对话内容",
    "gaps": "没有答案的问题",
    "find_gaps": "归类没有答案的问题",
    "gap": "主题",
    "draft": "起草文章",
    "drafted": "已写入 `drafts/{path}`。请在工作台补充完整并发布。",
    "gaps_none": "这个时段的问题都有答案。",
    "gap_line": "{count} × {name}",
    "csat_n": "{n} 次评分",
    "accepted": "{chosen} / {offered}",
}


def words(language: str) -> dict[str, str]:
    """Return the words of a language of the page."""
    return _ZH if language == CHINESE else _EN
