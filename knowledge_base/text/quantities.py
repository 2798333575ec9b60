"""Quantities of goods: `3 pairs`, `two boxes`, `三件`; the value is the number.

Weights, lengths, times and things of the service itself (orders, calls, days) are not quantities
of goods.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from knowledge_base.text import numbers
from knowledge_base.text.spans import ValueSpan

_MAX_QUANTITY: Final = 9999
_REACH: Final = 40  # characters between a number and the entity it counts
_MAX_BARE: Final = 20  # a larger bare number after `ordered` is more likely a size or a code


class QuantityMatch(NamedTuple):
    """A quantity and the end of its bare number, for when the noun is an entity of its own."""

    span: ValueSpan
    number_end: int


_MEASURES: Final = (
    "pair|box|boxe|pack|packet|piece|pc|bottle|set|unit|bag|carton|can|roll|item|case|jar|tube"
    "|copy|copie|crate|pallet|bundle|sheet|tin|tray|kit|article|product|parcel|package|tablet"
    "|sachet|pouch|tub|dozen|box set"
)
_GOODS: Final = (
    "shirt|t-shirt|tee|shoe|boot|sock|dress|skirt|jacket|coat|hat|cap|glove|scarf|sweater|jumper"
    "|hoodie|belt|mug|cup|plate|bowl|glass|knife|fork|spoon|lamp|chair|table|desk|sofa|pillow"
    "|blanket|towel|candle|book|pen|pencil|notebook|toy|game|ball|bike|wheel|tyre|battery|cable"
    "|charger|phone|watch|ring|necklace|earring|bracelet|tent|stove|mat|jersey|cushion|curtain"
    "|rug|vase|frame|poster|button|screw|bulb|filter|cover|sleeve|strap|voucher|gift card"
)
_NOT_GOODS: Final = frozenset(
    """
    days hours hrs minutes mins seconds secs weeks months years yrs times stars points percent
    nights mornings evenings weekends reasons questions issues problems things ways people
    persons kids children adults agents reps representatives managers employees customers
    calls emails mails messages texts letters orders transactions payments charges refunds
    returns attempts tries replies responses complaints tickets accounts addresses numbers
    codes passwords digits characters sizes colors colours types kinds sorts versions options
    choices steps pages levels floors rooms inches feet meters metres kilos pounds lbs grams
    kgs litres liters ounces gallons watts volts amps euros dollars bucks cents quid pence
    miles kms blocks sides ends degrees generations users devices logins sessions stores shops
    locations branches countries cities places deliveries reviews photos pictures pics
    screenshots links others words occasions drivers couriers delays was has does its this yes
    gets says costs comes works looks fits seems shows arrives goes keeps makes needs wants
    feels takes runs reads stays guys men women friends colleagues cookies gigs bars blades
    months' weeks' days' subscriptions installments instalments promises visits trips flights
    always besides perhaps plus sometimes hence towards news status less business process
    address express press access across pass discounts coupons fees rates offers deals names
    statements invoices notifications equals credits teams goals alerts mbps gbps parts
    sections chapters columns lines rows eyes hands arms legs bedrooms decimals megapixels
    apps websites sites browsers tabs windows errors mistakes working persons' us is as thus
    his
    """.split()  # noqa: SIM905 - readable as prose
)
_NO_ADJECTIVE: Final = (
    r"(?:and|or|of|is|was|are|were|for|to|in|on|at|with|but|by|he|she|it|that|this|these|those"
    r"|still"
    r"|then|always|never|also|now|just|only|who|which|what|when|where|how|if|so|because|since"
    r"|until|as"
    r"|i|we|you|they|my|your|the|a|an|business|working|week|day|month|year|hour|minute|star"
    r"|percent|per"
    r"|people|guys|months?|more|less|from|out|inch|cm|mm|kg|km|no|not|than|am|pm|has|have|had"
    r"|does|did"
    r"|will|would|can|could|gb|mb|years?|days?|weeks?|hours?|times?|does|its|has|looks|works"
    r"|fits)\b"
)
_ADJECTIVE: Final = (
    r"(?:more|extra|other|new|broken|damaged|defective|wrong|missing|empty|full|left|right|small"
    r"|medium"
    r"|large|big|tiny|xs|xl|xxl|identical|same|red|blue|black|white|grey|gray|green|yellow|brown"
    r"|pink"
    r"|beige|purple|orange|navy|of the|of these|of those|of my|of your|separate|spare|faulty)"
)
_COUNT: Final = (
    rf"(?:[0-9]{{1,4}}|{numbers.ENGLISH}|(?:half )?a dozen|a couple of|\b[0-9]{{1,2}} dozen)"
)
_START: Final = (
    r"(?<![A-Za-z0-9#$€£¥.,:/&+'-])(?<!size )(?<!sizes )(?<!phone )(?<!room )(?<!version )"
    r"(?<!model )(?<!page )(?<!step )(?<!number )(?<!no )(?<!no\. )(?<!code )(?<!order )"
    r"(?<!item )(?<!ticket )(?<!unit )(?<!flat )(?<!windows )(?<!galaxy )(?<!pixel )(?<!type )"
    r"(?<!series )(?<!level )"
    r"(?<!within )(?<!chapter )(?<!section )(?<!apartment )(?<!apt )(?<!suite )(?<!gate )"
    r"(?<!no one )(?<!part )(?<!top )(?<!line )(?<!option )(?<!article )(?<!a )"
)
_NOUN: Final = re.compile(
    rf"{_START}(?P<number>{_COUNT})(?P<mods>(?: {_ADJECTIVE}\b){{0,3}})"
    rf"(?: (?P<noun>(?:{_MEASURES}|{_GOODS}|[a-z]{{2,}})(?:s|es)|pair|dozen"
    rf"|pieces?)(?![A-Za-z'0-9])"
    rf"| (?!{_NO_ADJECTIVE})(?P<kind>[a-z][a-z-]{{2,}}) (?P<noun2>(?:{_MEASURES}|{_GOODS}"
    rf"|[a-z]{{2,}})s)"
    r"(?![A-Za-z'0-9]))",
    re.IGNORECASE | re.ASCII,
)
_SINGLE: Final = re.compile(
    rf"{_START}(?P<number>one|1)(?: {_ADJECTIVE}\b){{0,2}} (?:(?!{_NO_ADJECTIVE})[a-z-]{{3,}} )?"
    rf"(?:{_MEASURES}|{_GOODS})(?![A-Za-z'0-9])(?! of (?:advice|information))",
    re.IGNORECASE | re.ASCII,
)
_MORE: Final = re.compile(
    rf"{_START}(?P<number>(?!one\b|1\b){_COUNT})(?:(?P<more> (?:more|extra|left)\b)"
    r"(?! [a-z]+s\b)|(?= of (?:these|those|them|it)\b))",
    re.IGNORECASE | re.ASCII,
)
_SIGNED: Final = re.compile(
    r"(?<![A-Za-z0-9.$])(?:x ?(?P<a>[1-9][0-9]?)(?![0-9A-Za-z.]| ?x)"
    r"|(?P<b>[1-9][0-9]{0,2}) ?x(?= [a-z]|\b[,.]|$)"
    r"|(?:qty|quantity|amount)(?: should be| to| of| is| from| as|:"
    r"|=)? ?(?P<s>(?P<c>[1-9][0-9]{0,3}|"
    rf"{numbers.ENGLISH}))(?![0-9A-Za-z%$€£]))",
    re.IGNORECASE | re.ASCII,
)
_BARE: Final = re.compile(
    r"\b(?:ordered|order|received|recieved|got|get|bought|buy|sent|returning|return|returned|keep"
    r"|kept"
    r"|paid for|charged for|missing|exchange|cancel)(?: only| just| me| back)? "
    rf"(?P<s>(?!one\b)(?:[0-9]{{1,2}}|{numbers.ENGLISH}))"
    r"(?= ?(?:[,.;!?)]|$)| (?:and|but|or|instead|not|came|arrived|were|was|got|received|in|when"
    r"|so|out of"
    r"|please|pls|are|for)\b)",
    re.IGNORECASE | re.ASCII,
)
_SIZES: Final = re.compile(r"\bsizes?\b|\bfits?\b|\bstars?\b", re.IGNORECASE | re.ASCII)
_BEFORE_ENTITY: Final = re.compile(
    rf"{_START}(?P<number>{_COUNT})"
    rf"(?:(?: {_ADJECTIVE}\b){{0,3}}|(?: (?!{_NO_ADJECTIVE})[a-z]+)?) $",
    re.IGNORECASE | re.ASCII,
)
# `instead of eight`, `5 arrived in shards`: only after something was counted.
_ECHO: Final = re.compile(
    rf"(?:\b(?:instead of|rather than|not|but only|only|but|and|out of|got|received|wanted|ordered)"
    rf"|[,;.]) "
    rf"(?P<s>(?!one\b)(?:[0-9]{{1,2}}|{numbers.ENGLISH}))(?= ?(?:[,.;!?)]|$)| (?:arrived|came"
    rf"|were|are|is"
    r"|got|broken|missing|instead|please|pls)\b)",
    re.IGNORECASE | re.ASCII,
)
_ONE_OF: Final = "个份块组"  # with 一 more likely an article than a number
_CHINESE_MEASURE: Final = (
    r"(?:(?<!三)包|(?<=三)包(?!期|政策|服务|凭证|卡|有效|范围|内)|件(?!套|事)|双(?!十)|盒|箱|瓶"
    r"|台(?!阶|风|湾)|套"
    r"|支(?!付|持)|枝|张|本(?!人|来|身|店|月|周|正经)|把|只(?!是|有|能|要|会|想|收|发|退|松鼠|需"
    r"|好)|袋|罐|桶|顶|份"
    r"|辆|副|对(?!一|于|面|比)|卷|片|粒|颗|杯(?!子碎)|(?<=[0-9一二两三四五六七八九十])杯|碗|床|束"
    r"|枚|串|条|个|提|盆|盏|根"
    r"|部(?!分|门)|节(?!课|日|目|约|省|点)|块(?=香皂|肥皂|手表|表|蛋糕|电池|屏|布|毛巾|地毯|地垫"
    r"|玻璃|砖|饼干|巧克力|木板|板|硬盘|牛排|瓷砖))"
)
_CHINESE_NO_GOODS: Final = (
    r"(?! ?[大小]?(?:月|小时|钟头|星期|礼拜|周|问题|人|工作日|订单|单子|选择|原因|方案|方法|方式"
    r"|地址|账号|电话|地方|办法"
    r"|事|字|多月|半月|多小时|季度|学期|年|疗程|回合|级别|等级|码|号|尺码|颜色|色|版本|型号|步骤"
    r"|客服|员工|师傅|快递员"
    r"|短信|信息|消息|评论|链接|截图|图|照片|邮件|意见|建议|要求|疑问|百分点|点|亿|平台|店|网点"
    r"|城市|省|国家|朋友|孩子"
    r"|家庭|手机号|号码|验证码|样|方面|部分|环节|理由|优惠券码|笔画|字母|数字|像素|人份|退款|投诉"
    r"|申请|回复|会员|账户|用户"
    r"|档|度|说法|答复|交代|解释|机会|流程|龙|路|例|线|道理|星|左右的?问题|正经))"
)
_CHINESE: Final = re.compile(
    r"(?<![0-9A-Za-z.,一二两三四五六七八九十百千万几数第每#:/-])(?P<number>[0-9]{1,4}|"
    rf"{numbers.CHINESE})(?P<measure> ?{_CHINESE_MEASURE}){_CHINESE_NO_GOODS}"
)
_BOTH: Final = re.compile(
    r"(?<![你我他她咱们姐妹妻弟兄口])[俩仨](?!人|孩|月|小时|星期|礼拜|钟头|问题)"
)
_DETERMINERS: Final = "这那哪另某同任上下前后唯统独整有"
_CHINESE_HINT: Final = re.compile(r"[0-9零一二两三四五六七八九十百俩仨]")
_HINT: Final = re.compile(
    rf"[0-9]|\b(?:{numbers.ENGLISH}|dozen|couple|qty)\b", re.IGNORECASE | re.ASCII
)


def find(text: str, nouns: Collection[int] = ()) -> Iterator[QuantityMatch]:
    """Yield the quantities of a text; `nouns` are the offsets at which custom entities start."""
    if _HINT.search(text):
        counts = [*_english(text, nouns)]
        yield from counts
        if counts and not _SIZES.search(text):
            for match in _ECHO.finditer(text):
                yield from _span(match["s"], *match.span("s"), most=_MAX_BARE)
    if not text.isascii() and _CHINESE_HINT.search(text):
        yield from _chinese(text)


def _english(text: str, nouns: Collection[int]) -> Iterator[QuantityMatch]:
    for match in _NOUN.finditer(text):
        noun = (match["noun"] or match["noun2"]).lower()
        other = (match["kind"] or "").lower() in _NOT_GOODS
        of_them = match["number"].lower() in {"one", "1"} and match["mods"].startswith(" of")
        if noun not in _NOT_GOODS and not other and not of_them and not noun.endswith(("ss", "us")):
            yield from _counted(match)
    for match in _SINGLE.finditer(text):
        yield from _counted(match)
    for start in nouns:
        counted = _BEFORE_ENTITY.search(text, max(0, start - _REACH), start)
        if counted:
            yield from _counted(counted, end=counted.end("number"))
    for match in _MORE.finditer(text):
        yield from _counted(match)
    for match in _SIGNED.finditer(text):
        name = "s" if match["s"] else match.lastgroup or "a"
        number = match["a"] or match["b"] or match["c"]
        yield from _span(number, *(match.span("s") if name == "s" else match.span()))
    if not _SIZES.search(text):
        for match in _BARE.finditer(text):
            yield from _span(match["s"], *match.span("s"), most=_MAX_BARE)


def _counted(match: "re.Match[str]", end: int | None = None) -> Iterator[QuantityMatch]:
    start, stop = match.start("number"), match.end("number")
    for count in _span(match["number"], start, end or match.end()):
        yield QuantityMatch(count.span, stop)


def _span(number: str, start: int, end: int, most: int = _MAX_QUANTITY) -> Iterator[QuantityMatch]:
    value = _number(number.lower())
    if value is not None and 0 < value <= most:
        yield QuantityMatch(ValueSpan("quantity", str(value), start, end), end)


def _number(text: str) -> int | None:
    if text == "a couple of":
        return 2
    if text.endswith("dozen"):
        head = text.removesuffix("dozen").strip()
        many = 0.5 if head == "half a" else 1 if head == "a" else _number(head)
        return None if many is None else int(12 * many)
    value = numbers.parse(text)
    return None if value is None else int(value)


def _chinese(text: str) -> Iterator[QuantityMatch]:
    for match in _CHINESE.finditer(text):
        before = text[match.start() - 1] if match.start() else ""
        if match["number"] in "俩仨":
            continue  # these contain their measure word
        if match["number"] == "一" and (
            match["measure"].strip() in _ONE_OF or (before in _DETERMINERS and before)
        ):
            continue  # `一个` is an article, `这一件` a reference
        yield from _span(match["number"], *match.span())
    for match in _BOTH.finditer(text):
        yield from _span(match[0], *match.span())
