"""Answer types: what kind of answer a question asks for, and what a text contains. Pure."""

import re
from enum import Enum, auto
from typing import Final


class AnswerType(Enum):
    """The kinds of answers."""

    TIME = auto()  # a date, a time of day, a day of the week
    DURATION = auto()
    MONEY = auto()
    NUMBER = auto()
    PLACE = auto()
    REASON = auto()
    MEANING = auto()  # a definition or a name
    PERSON = auto()
    PERMISSION = auto()  # yes or no
    WAY = auto()  # a procedure, or a list of things


_ASKED: Final = {
    AnswerType.TIME: r"\bwhen\b|\bwhat (?:time|date|day|year|month)\b|\bby which date\b|"
    r"什么时[候间]|何时|哪[一]?[年天月日]|几[月号点]|时间是|日期",
    AnswerType.DURATION: r"\bhow (?:long|soon|quickly|fast|often)\b|"
    r"\bhow many (?:\w+ )?(?:minutes|hours|days|weeks|months|years)\b|"
    r"\b(?:deadline|period|duration|time limit)\b|多久|多长时间|"
    r"几(?:分钟|小时|个?工作日|天|周|个月|年)|"
    r"多少(?:分钟|小时|天|周|个月|年)|期限|时效|有效期",
    AnswerType.MONEY: r"\bhow much\b|\b(?:costs?|prices?|fees?|charges?|expensive|rates?)\b|"
    r"多少钱|价格|费用|运费|[多几]少?(?:块|元|美元|欧元)|收费|贵",
    AnswerType.NUMBER: r"\bhow (?:many|much|big|large|tall|far|old|heavy|high|deep|warm|cold)\b|"
    r"\b(?:weight|size|temperature|limit|maximum|minimum|number|capacity|percentage)\b|"
    r"多少|几[^乎]|多[大高远重深宽长]|重量|温度|尺寸|人数|数量",
    AnswerType.PLACE: r"\bwhere\b|\bwhich (?:country|city|place|shop|store|page|address)\b|"
    r"\b(?:address|location)\b|哪[里儿]|何[处地]|什么地[方点]|哪一?个?(?:国|省|市|城|地|县|州|区|洲)|"
    r"地址|位置|位于",
    AnswerType.REASON: r"\bwhy\b|\breasons?\b|\bwhat caused\b|\bhow come\b|"
    r"为什么|为何|原因|缘故|为啥",
    AnswerType.MEANING: r"\bwhat (?:is|are|does)\b.*\b(?:mean|called|definition|stand for)\b|"
    r"^\W*what(?:'s| is| are) (?:an? |the )?[\w-]+(?: [\w-]+)?\W*$|"
    r"什么是|是什么|指(?:的是)?什么|定义|含义|[又称叫名]为?(?:什么|作什么)|什么意思",
    AnswerType.PERSON: r"\bwho(?:m|se)?\b|谁|哪[位人]|何人|什么人",
    AnswerType.PERMISSION: r"^\W*(?:can|could|may|must|do|does|did|is|are|will|would|should|am)\b|"
    r"\b(?:allowed|permitted|possible)\b|吗|能不能|可不可以|可以.*[？?]?$|是否|是不是|会不会",
    AnswerType.WAY: r"\bhow (?:do|can|to|should|would|could|does|is|are)\b|"
    r"\bsteps?\b|\bprocedure\b|"
    r"\b(?:what|which) (?:\w+ )?(?:are|should|can|do|items|things|steps|documents|measures)\b|"
    r"怎么|怎样|如何|哪些|哪几|步骤|流程|办法",
}
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_HAN_NUMBER: Final = "[一二三四五六七八九十百千万亿两半零〇]"
_ANSWERS: Final = {
    AnswerType.TIME: rf"\b\d{{1,2}}[:.]\d\d\b|\b\d{{1,2}}\s?(?:am|pm|a\.m\.|p\.m\.)|\b{_MONTH}\s\d|"
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s{_MONTH}\b|\b(?:1[5-9]|20)\d\d\b|"
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:before|after|until|once|as soon as)\b|"
    rf"(?:\d|{_HAN_NUMBER})\s*(?:年|月|日|号|点|时|世纪|年代)|星期|周[一二三四五六日末]|"
    r"[今明去前后同次翌当]年|上午|下午|时期|年间|之前|之后|以后",
    AnswerType.DURATION: r"(?:\d|\b(?:one|two|three|four|five|six|seven|ten|few|several))[\s-]*"
    r"(?:\w+[\s-])?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b|\b(?:daily|weekly|"
    r"monthly|yearly|immediately|every)\b|"
    rf"(?:\d|{_HAN_NUMBER}|几)\s*(?:个)?(?:秒|分钟|小时|工作日|天|日|周|星期|月|年)|立即|马上|终身",
    AnswerType.MONEY: r"[$€£¥]\s?\d|\d\s?(?:[$€£¥%]|dollars?|euros?|pounds?|cents?|usd|eur|aud)|"
    r"\bfree\b|"
    r"\bno (?:fee|charge|cost)|[\d万亿百千]\s*(?:美元|欧元|港元|港币|元|块|人民币|日圆|英镑)|免费|"
    r"不收",
    AnswerType.NUMBER: rf"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|"
    rf"thousand|million|half)\b|{_HAN_NUMBER}+\s*[个名人次位座条种公里米吨克升倍成度只部本岁层集]",
    AnswerType.PLACE: r"\b(?:at|in|to|from|on) (?:the |our |your )?[A-Z]\w+|"
    r"\b(?:street|road|shops?|stores?|page|website|account|counter|desk)\b|→|位于|座落|坐落|地处|门店|页面|"
    r"[在于到].{1,12}[市省县区州国镇村路街里中上内边]",
    AnswerType.REASON: r"\b(?:because|since|due to|reasons?|so that|as a result|therefore|caused?|"
    r"means that)\b|因为|由于|因[此而]|所以|导致|使得?|为了|原因|以[免便]|故",
    AnswerType.MEANING: r"\b(?:is|are) (?:an?|the)\b|"
    r"\b(?:means?|called|known as|refers? to|stands? for)\b|"
    r"是|指|称|即|又名|意思|叫做?",
    AnswerType.PERSON: r"\b(?:by|team|colleagues?|staff|doctors?|people|someone|anyone)\b|"
    r"\b[A-Z]\w+ [A-Z]\w+|由|者|人|先生|女士|同事|[A-Z]",
    AnswerType.PERMISSION: r"\b(?:yes|no|not|can|cannot|can't|may|must|allowed|only|never|always|"
    r"possible|should|do not|don't)\b|可以|不能|不可|能|只|必须|不|需要|会",
    AnswerType.WAY: r"^\W*(?:\d|step|first|open|click|go|choose|select|enter|send|write|call|log|"
    r"press|"
    r"use|pack|bring|wash|keep|make|ask|check|contact|apply|visit)\b|→|请|打开|点击|选择|包括|首先|分为|有",
}
# The bonus of a sentence that contains the type asked for. Times and numbers are recognised well;
# many sentences name a person or a place without answering.
_WEIGHTS: Final = {
    AnswerType.TIME: 0.2,
    AnswerType.DURATION: 0.2,
    AnswerType.MONEY: 0.2,
    AnswerType.NUMBER: 0.15,
    AnswerType.PLACE: 0.1,
    AnswerType.REASON: 0.1,
    AnswerType.MEANING: 0.1,
    AnswerType.PERSON: 0.05,
    AnswerType.PERMISSION: 0.1,
    AnswerType.WAY: 0.1,
}
_CASED: Final = frozenset({AnswerType.PLACE, AnswerType.PERSON})  # case matters
_QUESTIONS: Final = {kind: re.compile(words, re.IGNORECASE) for kind, words in _ASKED.items()}
_PATTERNS: Final = {
    kind: re.compile(words, 0 if kind in _CASED else re.IGNORECASE)
    for kind, words in _ANSWERS.items()
}
# Words that ask but do not name the subject. English ones are not index terms anyway.
ASKING: Final = re.compile(
    r"为什么|什么时[候间]|是什么|什么样|什么|怎么样|怎样|怎么|多少|多久|多长|哪[些个里儿位几年一天]?|"
    r"谁|几|如何|为何|请问|吗|呢|我想知道|可不可以|可以|能不能|能否|是否|有没有"
)


def expected_types(question: str) -> frozenset[AnswerType]:
    """Return the answer types that a question asks for; often none, sometimes several."""
    types = {kind for kind, words in _QUESTIONS.items() if words.search(question)}
    if AnswerType.DURATION in types or AnswerType.MONEY in types:
        types -= {AnswerType.NUMBER, AnswerType.WAY}  # "how much" is money if it is about a price
    if types & {
        AnswerType.TIME,
        AnswerType.NUMBER,
        AnswerType.REASON,
        AnswerType.PLACE,
        AnswerType.PERSON,
    }:
        types -= {AnswerType.MEANING}
    return frozenset(types)


def gain(kinds: frozenset[AnswerType], text: str, question: str) -> float:
    """Return the bonus of a text, from 0 to 0.2, for containing an answer type asked for.

    A part that is in the question itself ("where is the shop?") does not count.
    """
    asked = question.lower()
    bonuses = [
        _WEIGHTS[kind]
        for kind in kinds
        if any(match[0].lower() not in asked for match in _PATTERNS[kind].finditer(text))
    ]
    return max(bonuses, default=0.0)
