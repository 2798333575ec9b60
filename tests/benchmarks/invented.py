"""Invented data in the layout of the real data: small, templated, easy."""

import csv
import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

Row = tuple[str, str]

# Eight intents of a bank, six ways to ask each.
BANK = {
    "lost_card": "I lost my {}|my {} is gone and I cannot find it|someone took my {}|"
    "where did I leave my {}, it is lost|please block the lost {}|the {} fell out of my pocket",
    "card_arrival": "when will the {} arrive|has the {} been posted|how long does the {} take|"
    "track the delivery of my {}|I am still waiting for the {}|the {} is not in my letter box yet",
    "change_pin": "how do I change the pin of my {}|set a new pin for the {}|I forgot the {} pin|"
    "where do I choose the pin code of my {}|reset the pin of the {}|a new pin code for the {}",
    "exchange_rate": "what is the exchange rate of the {}|is the rate for the {} good today|"
    "how many euros do I get for a {}|the {} rate looks wrong|convert a {} into dollars|"
    "which rate applies to the {}",
    "top_up": "how do I top up the {}|my {} top up failed|add money to my {}|load 50 on the {}|"
    "put cash on the {}|can I top up the {} by transfer",
    "refund": "I want a refund for the {}|give me my money back for the {}|refund the {} please|"
    "the shop has not refunded the {}|when do I get the refund of the {}|return the {} payment",
    "fee": "why was I charged a fee for the {}|how much does the {} cost a month|"
    "there is an extra fee on my {}|is the {} free of charge|what are the costs of the {}|"
    "explain the fee on the {}",
    "verify_identity": "how do I prove who I am for the {}|verify my identity for the {}|"
    "which passport do you accept for the {}|the identity check of the {} failed|"
    "why must I show my passport for the {}|upload my identity papers for the {}",
}
LEARNT = ("card", "account", "wallet", "pass", "voucher")
ASKED = ("badge", "token", "plan", "gift", "ticket", "bundle", "order", "item")
STRANGE = ("tell me a joke about a {}", "translate {} into latin", "how tall is a {}")
CREATURES = ("giraffe", "volcano", "piano", "castle", "comet", "tulip", "pirate", "walrus")

# The same sentences in English and Chinese.
SPOKEN = {
    "weather": ("will it rain {}", "{}会下雨吗", "is it sunny {}", "{}天气晴朗吗"),
    "alarm": ("wake me up {}", "{}叫我起床", "set an alarm {}", "{}设一个闹钟"),
    "music": ("play some music {}", "{}播放一些音乐", "put a song on {}", "{}放一首歌"),
}
DAYS = {
    "today": "今天", "tomorrow": "明天", "on monday": "星期一", "on friday": "星期五",
    "at noon": "中午", "tonight": "今天晚上", "next week": "下个星期", "on sunday": "星期天",
}  # fmt: skip

FEELINGS = (
    ("admiration", "{} is brilliant work"), ("anger", "{} makes me furious"),
    ("gratitude", "thank you so much for {}"), ("sadness", "{} made me cry all night"),
    ("neutral", "{} opens at nine"), ("confusion", "I do not get what {} means"),
)  # fmt: skip


def banking(things: Sequence[str]) -> list[Row]:
    """Return each intent's sentences about each thing."""
    return [
        (frame.format(thing), intent)
        for intent, frames in BANK.items()
        for frame in frames.split("|")
        for thing in things
    ]


def vague() -> list[Row]:
    """Return a few sentences whose intent nobody can know, so that some stay unanswered."""
    return [
        (f"hello, {words}", intent)
        for intent in BANK
        for words in ("a quick question please", "could somebody help me")
    ]


def strange(things: Sequence[str] = CREATURES) -> list[Row]:
    """Return sentences out of scope."""
    return [(frame.format(thing), "oos") for frame in STRANGE for thing in things]


def spoken(language: int) -> list[Row]:
    """Return sentences in English (0) or Chinese (1), in the same order."""
    return [
        (frames[at + language].format((day, chinese)[language]), intent)
        for day, chinese in DAYS.items()
        for intent, frames in SPOKEN.items()
        for at in (0, 2)
    ]


SYLLABLES = ("ming", "dor", "sut", "wick", "lam", "pesh", "rond", "tiv", "quol", "zan")


def write(folder: Path) -> Path:
    """Write everything the benchmarks read."""
    intents = folder / "intents"
    _table(intents / "banking77" / "train.csv", banking(LEARNT))
    _table(intents / "banking77" / "test.csv", [*banking(ASKED), *vague()])
    _table(intents / "clinc150" / "train.csv", [*banking(LEARNT), *strange(CREATURES[:4])])
    _table(intents / "clinc150" / "val.csv", [*banking(ASKED[:2]), *strange(CREATURES[4:6])])
    _table(intents / "clinc150" / "test.csv", [*banking(ASKED[2:4]), *strange(CREATURES[6:])])
    _table(intents / "hwu64" / "valid.csv", [row for n in range(2) for row in spoken(n)] * 5)
    _table(intents / "xsid" / "en_valid.csv", spoken(0))
    _table(intents / "xsid" / "zh_valid.csv", spoken(1))
    for bot in ("curekart", "powerplay11", "sofmattress"):
        _table(intents / "hint3" / f"{bot}_train.csv", [*banking(LEARNT[:2]), *strange()])
    _transcripts(folder / "transcripts" / "crosswoz_zh_a.jsonl.gz")
    _emotions(folder / "emotion")
    _dialogues(folder / "grounding" / "dstc11_track5.jsonl.gz")
    _table(folder / "shop_dev" / "utterances.csv", [*banking(ASKED), *strange(CREATURES[4:])])
    _conversations(folder / "shop_dev" / "conversations.jsonl")
    for site in ("feedbackqa_who", "feedbackqa_australia", "stackfaq_a", "cmrc_zh_a", "tau2_bank"):
        _site(folder / "retrieval" / site)
    return folder


def write_dialogs(folder: Path) -> Path:
    """Write what the home is trained on into the folder of a home."""
    _table(folder / "dialogs" / "utterances.csv", [*banking(LEARNT), *strange(CREATURES[:4])])
    return folder


def _site(folder: Path) -> None:
    """Write articles that each have a word of their own, and questions with that word."""
    folder.mkdir(parents=True)
    words = [f"{first}{second}" for first in ("bla", "gru", "fep", "kno") for second in SYLLABLES]
    articles = [
        {"id": word, "title": f"About {word}", "text": f"The {word} is kept in room {n}."}
        for n, word in enumerate(words)
    ]
    _lines(folder / "articles.jsonl", articles)
    asked = [
        {"query": f"Where is the {word}?", "relevant": [word], "answers": [f"room {n}."]}
        for n, word in enumerate(words)
    ]
    for name in ("queries", "queries_test"):
        _lines(folder / f"{name}.jsonl", asked)
    _lines(folder / "queries_train.jsonl", asked[::2] * 2)


def _lines(path: Path, rows: Iterable[object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _table(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "intent"), *rows])


def _conversations(path: Path) -> None:
    _lines(
        path,
        [
            {
                "id": f"made-{number}",
                "turns": [{"role": "customer", "text": text, "intent": intent}],
            }
            for number, (text, intent) in enumerate(banking(ASKED[:2]))
        ],
    )


def _transcripts(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number, (text, _) in enumerate(spoken(1)):
            turns = [
                {"role": "customer", "text": text},
                {"role": "agent", "text": "好的，请稍等。"},
            ]
            line = {"id": f"made-{number}", "language": "zh", "turns": turns}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _dialogues(path: Path) -> None:
    """Write dialogues that end with a question to the knowledge, or with an order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number, thing in enumerate([*LEARNT, *ASKED, *CREATURES] * 2):
            ends = (f"is the {thing} covered by a warranty?", f"book the {thing} for two")
            turns = [
                {"role": "customer", "text": f"hello, number {number} here"},
                {"role": "agent", "text": "How may I help?"},
                {"role": "customer", "text": ends[number % 2]},
            ]
            file.write(json.dumps({"turns": turns, "target": not number % 2}) + "\n")


def _emotions(folder: Path) -> None:
    folder.mkdir(parents=True)
    names = [name for name, _ in FEELINGS]
    (folder / "goemotions_labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    things = ("the film", "your shop", "this song", "the whole trip", "that answer")
    with gzip.open(folder / "goemotions_dev.tsv.gz", "wt", encoding="utf-8") as file:
        for number, (_, frame) in enumerate(FEELINGS):
            file.writelines(f"{frame.format(thing)}\t{number}\tid{number}\n" for thing in things)
        file.write("two minds\t0,1\tidx\n")  # raters who disagree are left out
