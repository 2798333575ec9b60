"""The demo business: enough of everything, in the right format, and no leak across the split."""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import Role, Understanding
from bot.dialogue import policy_checks
from bot.dialogue.state import State
from bot.nlu.entities.extractor import BUILT_IN
from bot.training import datasets
from bot.training.datasets import Conversation
from knowledge_base.documents import Document
from knowledge_base.sources import loader
from tests.conftest import DEMO

REQUIRED = {
    "order_status", "cancel_order", "change_address", "start_return", "refund_status", "invoice",
    "delivery_time", "payment_failed", "account_access", "size_advice", "warranty", "complaint",
    "human", "greeting", "thanks",
}  # fmt: skip
NEAR = 0.8  # Jaccard similarity of character trigrams
SHORT = 14  # texts this short recur of themselves ("thank you so much")


def dialogs() -> list[Conversation]:
    return list(datasets.read_transcripts(sorted((DEMO / "dialogs").glob("*.jsonl"))))


def test_there_are_enough_dialogs_in_both_languages_of_the_right_length() -> None:
    found = dialogs()
    languages = Counter(c.language for c in found)
    assert len(found) >= 160
    assert languages["en"] + languages["zh"] == len(found)
    assert 0.55 <= languages["en"] / len(found) <= 0.75
    assert all(4 <= len(c.turns) <= 16 for c in found)
    assert len({c.id for c in found}) == len(found)


def test_every_customer_turn_is_annotated_with_a_known_intent_and_route() -> None:
    described = set(
        re.findall(r"^## (\w+)", (DEMO / "intents.md").read_text("utf-8"), re.MULTILINE)
    )
    assert described >= REQUIRED
    assert len(described - {"oos"}) >= 24
    routes = {"template", "retrieve", "clarify", "act", "handoff"}
    turns = [t for c in dialogs() for t in c.turns if t.role is Role.CUSTOMER]
    annotated = [turn for turn in turns if turn.intent]
    assert len(annotated) >= 0.99 * len(turns)  # the others resemble messages of a test set
    assert {turn.intent for turn in annotated} <= described
    assert all(turn.route in {*routes, None} for turn in turns)
    assert sum(turn.route is None for turn in turns) <= 0.1 * len(turns)
    assert all(conversation.needs_human is not None for conversation in dialogs())


def test_there_are_enough_labelled_utterances_of_each_intent() -> None:
    examples = datasets.read_all_examples(datasets.training_files(DEMO / "dialogs"))
    counts = Counter(example.intent for example in examples)
    assert len(examples) >= 1500
    assert min(counts.values()) >= 30
    assert set(counts) >= {*REQUIRED, "oos"}


def test_the_held_out_file_is_the_part_that_is_never_trained_on() -> None:
    for path in sorted((DEMO / "dialogs").glob("*.jsonl")):
        for conversation in datasets.read_transcripts([path]):
            held = datasets.is_held_back(conversation.id)
            assert held == (path.name == "held_out.jsonl"), conversation.id


def trigrams(text: str) -> frozenset[str]:
    bare = re.sub(r"\W+", " ", text.casefold()).strip()
    return frozenset("".join(three) for three in zip(bare, bare[1:], bare[2:], strict=False))


def test_no_held_out_message_is_a_near_copy_of_one_that_is_trained_on() -> None:
    trained = [
        (trigrams(example.text), example.text)
        for example in datasets.read_all_examples(datasets.training_files(DEMO / "dialogs"))
    ]
    copies = []
    for conversation in dialogs():
        if not datasets.is_held_back(conversation.id):
            continue
        for turn in conversation.turns:
            own = trigrams(turn.text)
            if turn.role is not Role.CUSTOMER or len(turn.text) <= SHORT or not own:
                continue
            if turn.intent in {"thanks", "greeting"}:
                continue  # everybody says thank you in the same words
            copies += [
                (conversation.id, turn.text, text)
                for other, text in trained
                if len(own & other) >= NEAR * len(own | other)
            ]
    assert copies == []


def documents() -> list[Document]:
    loaded = list(loader.load([DEMO / "kb"]))
    assert all(isinstance(item, Document) for item in loaded), loaded
    return [item for item in loaded if isinstance(item, Document)]


def test_there_are_enough_articles_of_every_kind_in_both_languages() -> None:
    found = documents()
    kinds = Counter(Path(d.id.split("#")[0]).suffix for d in found)
    assert len({d.id.split("#")[0] for d in found}) >= 60
    assert set(kinds) == {".md", ".html", ".csv", ".pdf", ".docx"}
    languages = Counter(d.language for d in found)
    assert set(languages) == {"en", "zh"}
    assert sum(1 for d in found if re.search(r"\d", d.text)) > 0.7 * len(found)


def test_policy_and_templates_fit_the_intents() -> None:
    home = Home(Settings.load(DEMO))
    described = set(
        re.findall(r"^## (\w+)", (DEMO / "intents.md").read_text("utf-8"), re.MULTILINE)
    )
    assert policy_checks.find_issues(home.policy().content, described, home.templates().names) == []
    assert policy_checks.find_unfilled_slots(home.policy().content, BUILT_IN) == []
    assert set(home.policy().content.routes) == described - {"oos"}
    texts = {
        code: yaml.safe_load((DEMO / "templates" / f"{code}.yml").read_text("utf-8"))
        for code in ("en", "zh")
    }
    assert set(texts["en"]) == set(texts["zh"])
    assert set(texts["en"]["titles"]) == set(texts["zh"]["titles"]) == described - {"oos"}


def test_the_demo_names_no_row_of_the_real_data(real_data: Path) -> None:
    ours = {turn.text.casefold() for c in dialogs() for turn in c.turns if len(turn.text) > 40}
    ours |= {
        example.text.casefold()
        for path in (DEMO / "dialogs").glob("*.csv")
        for example in datasets.read_examples(path)
        if len(example.text) > 40
    }
    theirs = set()
    for path in sorted((real_data / "intents").rglob("*.csv")):
        theirs |= {example.text.casefold() for example in datasets.read_examples(path)}
    assert not ours & theirs


@pytest.mark.slow
def test_no_training_message_is_nearly_one_of_the_messages_that_judge_the_demo(
    real_data: Path,
) -> None:
    files = (real_data / "shop_dev" / name for name in ("utterances.csv", "conversations.jsonl"))
    judging = [e.text for path in files for e in datasets.read_examples(path, held_back=True)]
    examples = datasets.read_all_examples(datasets.training_files(DEMO / "dialogs"))
    trained_on = [example.text for example in examples]
    encoder = Home(Settings.load(DEMO)).encoder("e5-small")
    cosines = encoder.queries(judging) @ encoder.queries(trained_on).T
    assert cosines.max() <= 0.95


@pytest.mark.parametrize("path", sorted((DEMO / "dialogs").glob("*.jsonl")), ids=lambda p: p.name)
def test_bot_and_customer_take_turns_that_read_like_a_dialog(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        turns = json.loads(line)["turns"]
        assert turns[0]["role"] == "customer"
        runs = [a["role"] == b["role"] == "bot" for a, b in pairwise(turns)]
        assert sum(runs) <= 1


def escalated(text: str, intent: str) -> bool:
    policy = Home(Settings.load(DEMO)).policy()
    understanding = Understanding("en", "neutral", "calm", intent, 0.9)
    return policy.decide(text, understanding, State()).reason == "escalation"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("someone has changed the email on my account", "account_access"),
        ("I think my account was hacked", "account_access"),
        ("that wasn't me who logged in from Brazil", "account_access"),
        ("I did not place this order, what is going on with my login", "account_access"),
        ("有人登录了我的账户", "account_access"),
        ("我的账号被盗了", "account_access"),
        ("收到一条钓鱼短信，冒充你们", "complaint"),
        ("这个说不清，转人工吧", "refund_status"),
    ],
)
def test_a_stranger_in_the_account_brings_in_a_person(text: str, intent: str) -> None:
    assert escalated(text, intent)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Can someone please help me log in to my account?", "account_access"),
        ("is there someone who can reset my account password", "account_access"),
        ("I never logged in before, how do I create an account?", "account_access"),
        ("I didn't change my password but the site says it is wrong", "account_access"),
        ("do you protect my card against fraud?", "payment_methods"),
        ("有适合钓鱼穿的防水裤吗", "product_info"),
        ("礼品卡可以转给别人吗", "gift_card"),
        ("点击链接后跳转到个人中心就打不开了", "account_access"),
    ],
)
def test_ordinary_questions_with_such_words_do_not(text: str, intent: str) -> None:
    assert not escalated(text, intent)
