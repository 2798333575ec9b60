"""Rules and texts for training examples of the support scorer: paraphrases and inventions. Pure."""

import random
import re
from collections.abc import Sequence
from typing import Final

Rules = Sequence[tuple[re.Pattern[str], str]]


def _rules(*pairs: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in pairs)


ENGLISH: Final = _rules(
    (r"\bYou can\b", "It is possible to"), (r"\byou can\b", "customers are able to"),
    (r"\bcannot be\b", "can't be"), (r"\bis not\b", "isn't"), (r"\bdo not\b", "don't"),
    (r"\bPlease (\w)", r"\1"), (r"\bchoose\b", "pick"), (r"\bmust\b", "has to"),
    (r"\bget\b", "receive"), (r"\bbuy\b", "purchase"), (r"\bitems\b", "products"),
    (r"\bitem\b", "product"), (r"\bask for\b", "request"), (r"\bshops\b", "stores"),
    (r"\bshop\b", "store"), (r"\bsend\b", "mail"), (r"\bsee\b", "have a look at"),
    (r"\bcosts\b", "is priced at"), (r"\bis free\b", "costs nothing"),
    (r"\bis valid for\b", "stays valid for"), (r"\beach\b", "every"), (r"\bcomes\b", "arrives"),
    (r"\bcheck\b", "take a look at"), (r"\bWe\b", "Our team"), (r"\bour\b", "the company's"),
    (r"\byour\b", "the customer's"), (r"\bat once\b", "immediately"), (r"\bnormally\b", "usually"),
    (r"\btakes\b", "needs"), (r"\btwo\b", "2"), (r"\bone\b", "a single"),
    (r"\b5\b(?= (?:years|days|business))", "five"),
    (r"\b2\b(?= (?:years|days|business|hours))", "two"), (r"\bphoto\b", "picture"),
    (r"\bparcel\b", "package"), (r"\bcolleague\b", "member of staff"), (r"\bchange\b", "modify"),
    (r"\bwrong\b", "incorrect"), (r"\bdamaged\b", "broken"), (r"\bhelps\b", "is of use"),
    (r"\bpay\b", "make the payment"), (r"\bopen\b", "go to"), (r"\bEnter\b", "Type in"),
    (r"\barticle\b", "page"), (r"\bright away\b", "without delay"), (r"\bthe amount\b", "the sum"),
    (r"\bdelivery\b", "arrival"), (r"\bkeep\b", "hold on to"), (r"\bwarm\b", "cosy"),
    (r"\blarger\b", "bigger"), (r"\buse\b", "make use of"), (r"\bwater\b", "some water"),
    (r"\bdry\b", "let dry"), (r"\bneed\b", "require"),
    (r"^If ([^,]{5,70}), (\w[^.]*)\.$", r"\2 if \1."),
    (r"^(\w[^,.]*?) if ([^,.]{5,70})\.$", r"If \2, \1."),
)  # fmt: skip
CHINESE: Final = _rules(
    ("您可以", "可以"), ("请", "麻烦您"), ("商品", "产品"), ("购买", "买"), ("使用", "用"),
    ("不能", "不可以"), ("无法", "没办法"), ("需要", "得"), ("通过", "用"), ("之内", "内"),
    ("如果", "要是"), ("收到", "拿到"), ("发送", "发"), ("选择", "选"), ("查看", "看一下"),
    ("联系我们", "跟我们联系"), ("送达", "到货"), ("门店", "实体店"), ("邮箱", "电子邮箱"),
    ("订单", "单子"), ("美元", "美金"), ("免费", "不收费"), ("并且", "而且"), ("我们", "本店"),
    ("天内", "日内"), ("检查", "看看"), ("更换", "换"), ("修改", "改"), ("下单", "下订单"),
    ("立即", "马上"), ("照片", "图片"), ("包裹", "快递"), ("损坏", "坏了"), ("客服", "客服人员"),
    ("地址", "收货地址"), ("帮助", "协助"), ("提供", "给出"), ("页面", "网页"), ("费用", "花费"),
    ("必须", "一定要"), ("付款", "支付"), ("支付", "付款"), ("价格", "价钱"), ("通常", "一般"),
    ("约", "大约"), ("同时", "一起"), ("清洗", "洗"), ("水温", "水的温度"), ("晾干", "风干"),
    ("适合", "适用于"), ("保持", "维持"), ("建议", "推荐"), ("直接", "径直"), ("两", "2"),
    ("^([^，。]{4,30})，([^，。]{4,30})。$", r"\2，\1。"),
)  # fmt: skip
_LEADS: Final = (
    "Yes, ", "Sure, ", "Good news: ", "Please note that ", "According to our policy, ", "Hello! ",
    "Thanks for asking. ", "As far as I can see, ", "Just so you know, ",
)  # fmt: skip
_LEADS_ZH: Final = (
    "是的，", "您好，", "好的，", "请注意，", "根据规定，", "感谢您的提问。", "您好！", "据了解，",
    "没问题，",
)  # fmt: skip
INVENTED: Final = (
    "We also repair bicycles at our workshop by the harbour.",
    "Every customer gets a free mug with the next order.",
    "Our founder climbed Mount Everest in a pair of these.",
    "There is a lifetime guarantee on all zips and seams.",
    "You can pay in cash when the courier rings at your door.",
    "The new collection comes out in early spring.",
    "Loyal members are invited to a barbecue in the park.",
    "A colleague will visit you at home to measure your feet.",
    "The fabric was developed together with a university.",
    "Drivers wait for up to ten minutes at the kerb.",
    "We match the offers of any airline.",
    "Children under six travel for half the fare.",
    "The manual can be downloaded in Portuguese.",
    "It is the best choice on the market and everyone loves it.",
    "Your data is stored in a bunker in the Alps.",
    "The battery can be swapped by any jeweller.",
    "We plant a tree for every review you write.",
    "You will be called back by our chief executive.",
    "Tickets for the concert are sent by pigeon post.",
    "Parking is available in the basement for our guests.",
    "The colour fades after a few weeks in the sun.",
    "This model has won several design awards.",
)  # fmt: skip
INVENTED_ZH: Final = (
    "我们还在港口边的车间修理自行车。", "每位顾客下次购物都能得到一个杯子。",
    "创始人曾经穿着它登上珠穆朗玛峰。", "所有拉链和接缝都终身保用。",
    "快递员上门的时候可以付现金。", "新系列将在早春上市。", "老会员会被邀请参加公园烧烤。",
    "同事会到您家里量脚。", "面料是和一所大学共同研发的。", "司机最多在路边等十分钟。",
    "我们比任何航空公司都便宜。", "六岁以下儿童半价乘车。", "说明书可以下载葡萄牙语版本。",
    "它是市场上最好的选择，大家都喜欢。", "您的数据存放在山里的地堡。", "任何钟表匠都能换电池。",
    "您每写一条评价我们就种一棵树。", "总经理会给您回电话。", "演唱会门票用信鸽寄送。",
    "客人可以把车停在地下室。", "在阳光下几周后颜色会褪。", "这一款得过好几个设计奖。",
)  # fmt: skip
OPINIONS: Final = (
    "I love {} a lot.", "I think {} is great!", "I have never tried that myself.",
    "Do you like {}?", "My brother told me about {} last summer.", "Have you ever heard of {}?",
    "I wonder whether {} is worth it.", "I used to work with {}, it was fun.",
    "That is so cool, I had no idea!", "Did you know about {}?", "I would say {} is boring.",
)  # fmt: skip
OPINIONS_ZH: Final = (
    "我很喜欢{}。", "我觉得{}很棒！", "我自己从来没试过。", "你喜欢{}吗？",
    "我哥哥去年夏天跟我说过{}。", "你听说过{}吗？", "我在想{}值不值得。",
    "我以前做过{}，挺好玩的。", "太酷了，我都不知道！", "我觉得{}有点无聊。",
)  # fmt: skip


def reword(text: str, rules: Rules, rng: random.Random, *, max_changes: int) -> str:
    """Return a text with up to `max_changes` of its words replaced by synonyms."""
    applicable = [rule for rule in rules if rule[0].search(text)]
    for pattern, replacement in rng.sample(applicable, min(max_changes, len(applicable))):
        text = pattern.sub(replacement, text, count=1)
    return text[:1].upper() + text[1:]


def add_lead_in(text: str, rng: random.Random, *, chinese: bool) -> str:
    """Return a text with a typical beginning of a reply."""
    if chinese:
        return rng.choice(_LEADS_ZH) + text
    return rng.choice(_LEADS) + text[:1].lower() + text[1:]


def join(first: str, second: str, *, chinese: bool) -> str:
    """Join two sentences into one."""
    if chinese:
        return f"{first.rstrip('。！')}，{second}"
    return f"{first.rstrip('.!')}, and {second[:1].lower()}{second[1:]}"
