"""Function words, and groups of synonyms in customer service."""

from typing import Final

# Words without a subject. Negations, conditions and the like are detected separately.
EMPTY: Final = frozenset(
    (
        "a", "about", "actually", "all", "also", "am", "an", "and", "any", "are", "aren", "as",
        "at", "be", "been", "being", "both", "but", "by", "can", "cannot", "could", "couldn",
        "did", "didn", "do", "does", "doesn", "doing", "don", "done", "each", "either", "else",
        "even", "every", "few", "for", "from", "get", "gets", "got", "had", "has", "hasn", "have",
        "haven", "having", "he", "her", "here", "hers", "him", "his", "how", "i", "if", "in",
        "into", "is", "isn", "it", "its", "just", "let", "like", "ll", "may", "me", "might",
        "mine", "more", "most", "much", "must", "my", "n't", "need", "no", "nor", "not", "now",
        "of", "off", "ok", "okay", "on", "once", "one", "only", "or", "other", "our", "ours",
        "out", "own", "per", "please", "re", "really", "s", "shall", "she", "should", "shouldn",
        "so", "some", "still", "such", "sure", "t", "than", "that", "the", "their", "theirs",
        "them", "then", "there", "these", "they", "this", "those", "through", "to", "too",
        "unless", "until", "up", "us", "ve", "very", "was", "wasn", "we", "well", "were", "weren",
        "what", "when", "where", "whether", "which", "while", "who", "whom", "whose", "why",
        "will", "with", "within", "without", "won", "would", "wouldn", "yeah", "yes", "yet", "you",
        "your", "yours",
    )
)  # fmt: skip
EMPTY_HAN: Final = frozenset(
    "的了是在和与或及等请可能够会将要需须我们您你他她它这那些每个各一到从把被就才也还都则以于为"
    "对向让给由所其之后前时候有没不未无勿别只仅最多至少使吧吗呢啊呀哦并且而但若如果当"
)
# The first word of a group represents the others.
SAME: Final = (
    "deliver ship send dispatch arrive delivery shipment shipping sent dispatched",
    "buy purchase bought order",
    "cost fee price charge pay payment paid costs",
    "shop store outlet",
    "return send-back bring-back",
    "parcel package",
    "mail email e-mail",
    "item product article goods merchandise",
    "mobile phone telephone call ring",
    "help assist support",
    "begin start",
    "end finish expire",
    "fix repair mend",
    "collect pickup pick",
    "refund reimburse money-back",
    "change alter modify switch swap",
    "photo picture image",
    "usd dollar",
    "allow permit possible",
    "wash clean launder",
    "broken damaged faulty defective",
    "choose select pick",
    "receive get obtain",
    "need require must",
    "show display see",
    "large big",
    "employee colleague staff agent",
    "client customer buyer",
)
