"""Detection of sentences that claim something, and do not merely greet or offer help. Pure."""

import re
from typing import Final

from bot.generation.verification.sentences import ParsedSentence, parse_sentences

_SMALL_TALK = re.compile(
    r"(?:hi|hello|hey|dear (?:customer|sir or madam)|good (?:morning|afternoon|evening|day)"
    r"|welcome(?: back)?|thanks?(?: you)?(?: (?:so|very) much| a lot)?(?: for .{1,60})?|cheers"
    r"|you[’']?(?:re| are) (?:very |most )?welcome|(?:no|not a) problem|my pleasure|no worries"
    r"|(?:i[’']?m|i am|we[’']?re|we are)(?: very| so| really| truly)? "
    r"(?:sorry|happy|glad|here|pleased)(?: (?:for|about)\b.{0,60}"
    r"| to (?:help|assist|hear|answer|look|support|serve|be)\b.{0,60})?"
    r"|(?:i |we )?(?:sincerely )?apologi[sz]e\b.{0,60}|(?:my|our) apologies\b.{0,60}"
    r"|(?:so |very )?sorry(?: (?:about|for|to hear)\b.{0,60})?"
    r"|(?:yes|no|yeah|yep|nope|sure|okay|ok|of course|certainly|absolutely|definitely|great|right"
    r"|alright|understood|got it|i see|perfect|indeed|good question|great question)"
    r"|(?:i|we) (?:can|could|would|will|[’']?ll|[’']?d) (?:be (?:happy|glad) to |gladly )?"
    r"(?:help|assist)\b.{0,60}|(?:i|we)[’'](?:ll|d) (?:be (?:happy|glad) to |gladly )?"
    r"(?:help|assist)\b.{0,60}|happy to help\b.{0,40}|let me (?:help|check|see|look)\b.{0,60}"
    r"|here(?: i|[’']?)s (?:what|how)\b.{0,60}"
    r"|i (?:understand|see|know) (?:your|how|this is|that this|why)\b.{0,60}|i hope\b.{0,60}"
    r"|(?:please )?(?:let (?:me|us) know|feel free to (?:ask|reach|contact))\b.{0,80}"
    r"|(?:have a|enjoy your|take care|good ?bye|bye|see you)\b.{0,40}|one moment(?: please)?"
    r"|(?:i )?hope (?:this|that) helps?\b.{0,20}|is there anything else.{0,60})",
    re.IGNORECASE,
)
_SMALL_TALK_ZH = re.compile(
    r"(?:您好|你好|嗨|大家好|早上好|上午好|下午好|晚上好|亲|欢迎.{0,12}|谢谢.{0,14}|感谢.{0,20}|多谢.{0,6}"
    r"|不客气|不用谢|没问题|没关系|好的|好|是的|是|对|对的|可以|可以的|当然|当然可以|明白了?|了解了?|嗯+|哦"
    r"|(?:非常|很|十分|实在|真的)?(?:抱歉|对不起|不好意思).{0,20}|请稍等.{0,8}|稍等.{0,6}"
    r"|(?:我|我们)?(?:很|非常)?(?:乐意|高兴|可以|能|会)(?:为您|为你|帮您|帮你|帮助您|帮助你|协助您|来帮).{0,16}"
    r"|(?:我|我们)来(?:帮|为)(?:您|你).{0,14}|让我.{0,14}|如(?:果)?(?:您|你)?(?:还)?有.{0,12}(?:问题|疑问|需要)"
    r"|(?:请)?随时(?:联系|告诉|问|咨询).{0,10}|希望.{0,10}(?:帮助|帮到).{0,6}|祝.{0,14}|再见|拜拜"
    r"|(?:我)?(?:理解|明白)(?:您|你).{0,16})"
)
_ASKS = re.compile(r"[?？]\s*[\"”』」)]?\s*$|[吗呢么]\s*[?？。]?$")
_EDGES: Final = " \t\n\r.!?,;:。！？，；：、~～…—-'\"“”‘’()（）😊🙂👋🙏"
_FACT = re.compile(r"[0-9]|https?:|@")
_HAN = re.compile(r"[\u3400-\u9fff]")
_COMMA = re.compile(r"[,，]")


def has_claim(text: str) -> bool:
    """Return whether any sentence of a text is a claim that passages would have to support."""
    return any(is_claim(sentence) for sentence in parse_sentences(text))


def is_claim(sentence: ParsedSentence) -> bool:
    """Return whether a sentence is a claim; greetings, thanks and questions are not."""
    text = sentence.text.strip(_EDGES)
    if not text:
        return False
    if _FACT.search(text):
        return True
    if _ASKS.search(sentence.text.strip()):
        return False
    return any(not _is_small_talk(part) for part in _COMMA.split(text))


def _is_small_talk(part: str) -> bool:
    text = part.strip(_EDGES)
    pattern = _SMALL_TALK_ZH if _HAN.search(text) else _SMALL_TALK
    return not text or pattern.fullmatch(text) is not None
