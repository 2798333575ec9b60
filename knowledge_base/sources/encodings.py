"""Decoding of files: by byte order mark, declaration or detection, but never by a guess."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from knowledge_base.documents import KnowledgeError

_MARKS: Final = (  # UTF-32 first: its mark starts like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Declared encodings → the supersets that are really used, as browsers do it.
_SUPERSETS: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]{2,40})""", re.IGNORECASE
)
_HEAD: Final = 4096  # bytes in which a page may declare its encoding
_SAMPLE: Final = 2**16

_SIMPLIFIED: Final = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年"
    "过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理"
    "心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两"
    "高间由问很最重并物手应向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化"
    "货款单订送退换您请费天物流客服品购买支付号码账户"
)
_TRADITIONAL: Final = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年"
    "過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理"
    "心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩"
    "高間由問很最重並物手應向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化"
    "貨款單訂送退換您請費天物流客服品購買支付號碼帳戶"
)
_ASIAN_MARKS: Final = "，。、？！：；（）「」《》“”"
_KANA: Final = "".join(map(chr, range(0x3041, 0x30FD)))
_HANGUL: Final = (
    "이다는을를가에의하고한지로기도니습있은해시어사나자수대리그아주세요합인서일정라만문금으보부안"
    "여송상구제원주품배반"
)
_MARKS_OF_TYPE: Final = "’‘“”„«»–—…€°§©®·º \u00a0"
_WESTERN: Final = (
    "äöüßÄÖÜ", "àâçéèêëîïôûùœÉÀÇÊ", "áéíóúüñ¿¡ÁÉÑ", "àèéìòùÈ", "ãõáéíóúâêôçàÁÉ", "éëïöüè",
    "åäöéÅÄÖ", "æøåéÆØÅ",
)  # fmt: skip
_CENTRAL: Final = (
    "ąćęłńóśźżŁŚŻÓ", "áčďéěíňóřšťúůýžČŘŠŽÚ", "áäčďéíĺľňóôŕšťúýžČŠŽ", "áéíóöőúüűÁÉÖÜ", "ăâîşţŞÎ",
    "čćđšžČŠŽ",
)  # fmt: skip
_RUSSIAN: Final = ("абвгдежзийклмнопрстуфхцчшщъыьэюяё№",)


@dataclass(frozen=True)
class _Profile:
    """An encoding, and the characters that most of a text in it consists of.

    `share` of the non-ASCII characters must be in one of the alphabets; with `alone`, no word mixes
    them with Latin letters.
    """

    encoding: str
    alphabets: tuple[str, ...]
    share: float
    alone: bool = False

    def fit(self, text: str) -> float:
        """Return 1 or more if the text looks like one of this encoding."""
        beyond = [character for character in text if character > "\x7f"]
        if self.alone and 10 * len(_MIXED.findall(text)) > len(beyond):
            return 0.0
        hits = max(sum(map(set(alphabet).__contains__, beyond)) for alphabet in self.alphabets)
        return hits / len(beyond) / self.share if hits >= _MIN_HITS and "\x80" not in text else 0.0


_MIN_HITS: Final = 4
_MIXED = re.compile(r"[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]")
_RIVAL: Final = 0.85  # another encoding that fits this well makes the best one uncertain
_PROFILES: Final = (
    _Profile("gb18030", (_SIMPLIFIED + _ASIAN_MARKS, _TRADITIONAL + _ASIAN_MARKS), 0.2),
    _Profile("big5hkscs", (_TRADITIONAL + _ASIAN_MARKS,), 0.2),
    _Profile("cp932", (_KANA + _ASIAN_MARKS,), 0.4),
    _Profile("euc_jp", (_KANA + _ASIAN_MARKS,), 0.4),
    _Profile("cp949", (_HANGUL,), 0.3),
    _Profile("cp1252", tuple(a + _MARKS_OF_TYPE for a in _WESTERN), 0.97),
    _Profile("cp1250", tuple(a + _MARKS_OF_TYPE for a in _CENTRAL), 0.97),
    _Profile("cp1251", _RUSSIAN, 0.8, alone=True),
    _Profile("koi8_r", _RUSSIAN, 0.8, alone=True),
)


def decode(raw: bytes, declared: str | None = None, *, markup: bool = False) -> str:
    """Return the text of a file; raise KnowledgeError if its encoding is not certain.

    In this order: a byte order mark, valid UTF-8, what was declared (by the server, or with
    `markup` by the page), and the only encoding that fits.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _decode_strictly(raw, encoding, "by its mark")
    declaration = _DECLARED.search(raw, 0, _HEAD) if markup and declared is None else None
    declared = declaration[1].decode("ascii", "replace") if declaration else declared
    name = _normalise_name(declared)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        if name not in {None, "utf-8", "utf-16"}:
            return _decode_strictly(raw, str(name), f"as it declares ({declared})")
        return _detect(raw, error.start)
    # Pure ASCII may be an escaping encoding (ISO-2022-JP, HZ), which is only known if declared.
    if name and text.isascii():
        return _decode_strictly(raw, name, f"as it declares ({declared})")
    return text


def _normalise_name(declared: str | None) -> str | None:
    try:
        name = codecs.lookup(declared or "").name
        "".encode(name)  # raises for codecs that are not text encodings
    except (LookupError, ValueError):
        return None
    return _SUPERSETS.get(name, "utf-8" if name.startswith("utf-") else name)


def _decode_strictly(raw: bytes, encoding: str, why: str) -> str:
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        message = f"{why} it is {encoding}, but that does not fit: save it as UTF-8 ({error})"
        raise KnowledgeError(message, "no_utf8") from error


def _detect(raw: bytes, wrong_at: int) -> str:
    fits = sorted(_fits(raw), reverse=True)
    if fits and fits[0][0] >= 1:
        best, encoding, sample = fits[0]
        if all(fit < _RIVAL * best or text == sample for fit, _, text in fits[1:]):
            return _decode_strictly(raw, encoding, "as it looks")
    message = f"it is not UTF-8 (byte {wrong_at}) and not certainly anything else: save it as UTF-8"
    raise KnowledgeError(message, "no_utf8")


def _fits(raw: bytes) -> Iterator[tuple[float, str, str]]:
    """Yield how well each encoding fits, its name, and a decoded sample."""
    first = re.search(rb"[\x80-\xff]", raw)
    start = raw.rfind(b"\n", 0, first.start()) + 1 if first else 0
    for profile in _PROFILES:
        try:
            decoder = codecs.getincrementaldecoder(profile.encoding)()
            sample = decoder.decode(raw[start : start + _SAMPLE])
        except UnicodeDecodeError:
            continue
        yield profile.fit(sample), profile.encoding, sample
