"""Pairs of opposites that a sentence has one or the other of, in English and Chinese."""

from typing import Final


def _any(*patterns: str) -> str:
    return "|".join(patterns)


# Pairs of opposites, `+` first. A negated word ("not open") counts as its opposite.
OPPOSITES: Final = {
    "pay": (
        _any(
            r"costs?\b(?! nothing)|(?<!free of )charg(?:e[sd]?|ing)\b|fees?\b|paid\b",
            r"pay(?:s|ing)?\b(?= (?:for|\$|extra|a fee))|deduct(?:s|ed)?\b|收费|付费|要钱|收取",
            r"收(?=[\u3400-\u9fff]{1,2}费)|扣除|自付|自费",
        ),
        _any(
            r"(?<!-)free\b(?! of\b(?! charge))|complimentary\b|gratis\b|nothing\b|免费|免收|包邮",
            "不要钱|免(?=邮|运费|手续费)",
        ),
    ),
    "open": (
        r"open(?:s|ed)?\b|营业|开放|开门",
        r"closed?\b|shut\b|休息|关门|关闭|停业|打烊",
    ),
    "order": (
        _any(
            r"before\b|prior to\b|earlier than\b|ahead of\b|之前|以前",
            r"(?<=[\u3400-\u9fff])前(?![往台面者后])",
        ),
        _any(
            r"after\b|later than\b|following\b|once\b(?= [a-z]+ (?:is|are|has|have)\b)|之后|以后",
            r"(?<=[\u3400-\u9fff])后(?![台面者续来果悔退])",
        ),
    ),
    "inside": (
        r"within\b|inside\b|以内|之内|(?<=[天日时周月年钟])内",
        r"outside\b|beyond\b|以外|之外|(?<=[天日时周月年钟])外",
    ),
    "bound": (
        _any(
            r"at least\b|minimum\b|no (?:less|fewer) than\b|or more\b|至少|最少|最低|不少于|不低于",
            "以上",
        ),
        _any(
            r"at most\b|up to\b|maximum\b|no more than\b|or (?:less|fewer)\b|至多|最多|最高|不超过",
            "以下|不多于",
        ),
    ),
    "more": (
        _any(
            r"more than\b|over\b|above\b|exceed\w*|greater\b|超过|高于|大于|多于|超出|达到",
            "(?<!不)满(?=[0-9 一二三四五六七八九十百千])",
        ),
        r"less than\b|under\b|below\b|fewer than\b|低于|小于|少于|不足|不满|不到",
    ),
    "all": (
        r"all\b|every\b|each\b|always\b|any\b|fully\b|全部|所有|总是|一律|全额|任何",
        r"some\b|sometimes\b|part(?:ly|ial(?:ly)?)?\b|部分|有些|有时",
    ),
    "grow": (
        r"increas\w+|rise[sn]?\b|raise[sd]?\b|grow\w*|增加|上升|提高|增长|上涨",
        r"decreas\w+|reduc\w+|fall\w*\b|drop(?:s|ped)\b|lower(?:s|ed)\b|减少|下降|降低|下跌",
    ),
    "high": (
        r"high(?:er|est)?\b|高(?=[于的]|达)",
        r"low(?:er|est)?\b|低(?=[于的]|达)",
    ),
    "large": (
        r"larg(?:e|er|est)\b|big(?:ger|gest)?\b",
        r"small(?:er|est)?\b|tiny\b",
    ),
    "fast": (
        r"fast(?:er|est)?\b|quick\w*",
        r"slow(?:er|est|ly)?\b",
    ),
    "first": (
        r"first\b|最先|最早|首先",
        r"last\b|最后|最终|最晚",
    ),
    "early": (
        r"earl(?:y|ier|iest)\b|提前|提早",
        r"late(?:r|st)?\b(?! than)|推迟|延后",
    ),
    "online": (
        r"online\b|website\b|线上|网上|在线",
        r"in[ -]store\b|offline\b|线下|门店|店内",
    ),
    "indoor": (
        r"indoors?\b|室内",
        r"outdoors?\b|室外|户外",
    ),
    "abroad": (
        r"domestic(?:ally)?\b|国内",
        r"international(?:ly)?\b|abroad\b|overseas\b|国际|海外|国外",
    ),
    "need": (
        _any(
            r"must\b|required?\b|requires?\b|mandatory\b|obligatory\b|needs? to\b|has to\b",
            r"have to\b|necessary\b|必须|须|需要|必需|务必|(?<![无不必])需(?!求)",
        ),
        _any(
            r"optional(?:ly)?\b|need not\b|needn[’']t\b|voluntary\b|无需|不必|不需|无须|不用|可选",
            "自愿",
        ),
    ),
    "include": (
        r"includ\w+|包含|包括|含(?=[税运])",
        r"exclud\w+|不含|不包括",
    ),
    "come": (
        r"arriv\w+|到达|抵达",
        r"leav(?:e|es|ing)\b|depart\w*|离开|出发",
    ),
    "valid": (
        r"valid\b|有效",
        r"expired?\b|invalid\b|void\b|失效|过期|无效|作废",
    ),
    "same": (
        r"same\b|identical\b|相同|一样|同样|同一",
        r"different\b|another\b|不同|另外|其他|其它",
    ),
    "warm": (
        r"hot\b|warm\b|热水|温水|高温",
        r"cold\b|cool\b|冷水|低温",
    ),
    "win": (
        r"won\b|wins?\b|victory\b|战胜|击败|获胜|胜利",
        r"lost\b|loses?\b|defeat\b|战败|失败|落败|败给",
    ),
    "sex": (
        r"men(?:[’']s)?\b|male\b|father\b|sons?\b|brothers?\b|husband\b|男|父亲|儿子|丈夫|兄|弟",
        _any(
            r"women(?:[’']s)?\b|female\b|mother\b|daughters?\b|sisters?\b|wife\b|女|母亲|女儿|妻子",
            "姐|妹",
        ),
    ),
    "north": (
        r"north(?:ern)?\b|北(?=[部边侧面岸方])",
        r"south(?:ern)?\b|南(?=[部边侧面岸方])",
    ),
    "east": (
        r"east(?:ern)?\b|东(?=[部边侧面岸方])",
        r"west(?:ern)?\b|西(?=[部边侧面岸方])",
    ),
    "left": (
        r"left[- ](?:hand|side)\b|左",
        r"right[- ](?:hand|side)\b|右",
    ),
    "born": (
        r"born\b|birth\b|出生|诞生",
        r"died\b|death\b|去世|逝世|死亡|病逝",
    ),
    "enable": (
        r"enabled?\b|switch(?:ed)? on\b|turn(?:ed)? on\b|启用|开启|打开",
        r"disabled?\b|switch(?:ed)? off\b|turn(?:ed)? off\b|停用|禁用",
    ),
    "support": (
        r"support(?:s|ed)?\b|支持|赞成|同意|赞同",
        r"oppos\w+|object(?:s|ed)\b|反对|抗议",
    ),
    "public": (
        r"public(?:ly)?\b|公开|公共|公立",
        r"private(?:ly)?\b|secret(?:ly)?\b|私人|私立|秘密",
    ),
}
