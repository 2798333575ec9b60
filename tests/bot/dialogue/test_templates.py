from pathlib import Path
from typing import Any

import pytest

from bot.dialogue import templates
from bot.dialogue.templates import TemplateError, Templates


def load(folder: Path, **files: str) -> Templates:
    for code, text in files.items():
        (folder / f"{code}.yml").write_text(text, encoding="utf-8")
    return templates.load(folder)


def test_the_built_in_texts_exist_in_both_languages_with_the_same_names() -> None:
    built_in = templates._built_in()
    assert set(built_in) == {"en", "zh"}
    assert set(built_in["en"]) == set(built_in["zh"])
    for texts in built_in.values():
        assert all(variant.text.strip() for variants in texts.values() for variant in variants)


def test_the_built_in_texts_want_the_same_variables_in_both_languages(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    for name in loaded.names:
        values: dict[str, Any] = {name: f"[{name}]" for name in ("position", "slot", "agent")}
        en, zh = (loaded.render(name, code, **values) for code in ("en", "zh"))
        assert [v in en for v in values.values()] == [v in zh for v in values.values()]


def test_a_home_without_templates_has_the_built_in_ones(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert loaded.version == "t-builtin"
    assert loaded.has("out_of_scope")
    assert not loaded.has("refund")


def test_a_homes_own_text_wins_over_the_built_in(tmp_path: Path) -> None:
    loaded = load(tmp_path, en="greeting: Welcome to Fern!")
    assert loaded.render("greeting", "en") == "Welcome to Fern!"
    assert loaded.render("greeting", "zh") != "Welcome to Fern!"
    assert loaded.has("handoff")


def test_variables_are_filled_in(tmp_path: Path) -> None:
    loaded = load(tmp_path, zh='status: "订单 {order_number} 预计 {eta} 送达。"')
    text = loaded.render("status", "zh", order_number="A10234", eta="{明天}")
    assert text == "订单 A10234 预计 {明天} 送达。"


def test_doubled_braces_are_braces(tmp_path: Path) -> None:
    assert load(tmp_path, en='a: "{{x}}"').render("a", "en") == "{x}"


def test_variants_take_turns(tmp_path: Path) -> None:
    loaded = load(tmp_path, en="thanks: [Sure!, Gladly!]")
    assert [loaded.render("thanks", "en", n) for n in range(3)] == ["Sure!", "Gladly!", "Sure!"]


@pytest.mark.parametrize("language", ["zh", "mixed", "other"])
def test_a_text_that_is_missing_in_a_language_comes_in_the_other(
    tmp_path: Path, language: str
) -> None:
    assert load(tmp_path, en="refund: Money back.").render("refund", language) == "Money back."
    assert load(tmp_path, zh="invoice: 发票").render("invoice", "en") == "发票"


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    loaded = load(tmp_path, en='status: "It arrives on {eta}."')
    with pytest.raises(TemplateError, match=r"status.*en.*eta"):
        loaded.render("status", "en", order_number="A10234")


def test_an_unknown_template_says_where_to_add_it(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"`refund`.*templates/zh\.yml"):
        load(tmp_path).render("refund", "zh")


@pytest.mark.parametrize(
    "text", ["Up to {", "50 } off", "{}", "{0}", "{order.number}", "{a b}", "{price[0]}"]
)
def test_braces_that_are_no_variables_are_refused_when_loaded(tmp_path: Path, text: str) -> None:
    with pytest.raises(TemplateError, match=r"en\.yml: `promo`"):
        load(tmp_path, en=f'promo: "{text}"')


@pytest.mark.parametrize("text", ["{price:.2f}", "{price!x}", "{price:{width}}"])
def test_formats_that_would_fail_in_front_of_a_customer_are_refused_when_loaded(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(TemplateError, match=r"en\.yml: `promo`"):
        load(tmp_path, en=f'promo: "{text}"')


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("greeting: [unclosed", "not YAML"),
        ("greeting: 2026-13-45", "not YAML"),
        ("- a\n- b\n", "map template names"),
        ("greeting: 7", "`greeting`"),
        ("greeting: []", "`greeting`"),
        ("greeting: ['']", "`greeting`"),
        ("greeting: {en: Hi}", "`greeting`"),
        ("titles: [a]", "titles"),
    ],
)
def test_a_wrong_file_is_named_with_its_entry(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(TemplateError, match=r"zh\.yml") as caught:
        load(tmp_path, zh=text)
    assert named in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "zh.yml").write_bytes("greeting: 您好".encode("gbk"))
    with pytest.raises(TemplateError, match=r"zh\.yml"):
        templates.load(tmp_path)


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    first = load(tmp_path, en="greeting: Hi!").version
    assert first.startswith("t-")
    assert load(tmp_path, en="greeting: Hi!").version == first
    assert load(tmp_path, en="greeting: Hello!").version != first


def test_buttons_read_like_titles(tmp_path: Path) -> None:
    loaded = load(tmp_path, zh="titles: {track_order: 查询订单}\ngreeting: 您好")
    assert loaded.title("track_order", "zh") == "查询订单"
    assert loaded.title("track_order", "en") == "Track order"
    assert not loaded.has("titles")


def test_an_empty_file_changes_no_text(tmp_path: Path) -> None:
    assert load(tmp_path, en="# nothing yet\n").render("thanks", "en") == "You are welcome!"


def test_a_variant_with_a_condition_is_said_where_it_holds_and_only_there(tmp_path: Path) -> None:
    text = """
hello:
  - "Hello."
  - text: "Hello, order {order_number}."
    if: {slots: [order_number]}
    buttons: [{title: "Where is it?", payload: /order_status}]
  - text: "Hello, you are through to the shop."
    if: {channel: phone}
"""
    loaded = load(tmp_path, en=text)
    assert loaded.render("hello", "en") == "Hello."
    known = {"order_number": "A10234"}
    assert loaded.render("hello", "en", 0, **known) == "Hello, order A10234."
    assert loaded.render("hello", "en", channel="phone") == "Hello, you are through to the shop."
    (button,) = loaded.buttons("hello", "en", 0, **known)
    assert (button.title, button.payload) == ("Where is it?", "/order_status")
    assert loaded.buttons("hello", "en") == ()


def test_a_slot_may_have_to_hold_a_value(tmp_path: Path) -> None:
    text = "hi: ['Hi.', {text: 'Hi, {tier} member.', if: {slots: {tier: gold}}}]"
    loaded = load(tmp_path, en=text)
    assert loaded.render("hi", "en", 0, tier="silver") == "Hi."
    assert loaded.render("hi", "en", 0, tier="gold") == "Hi, gold member."


def test_a_variable_that_may_be_missing_is_found_when_loaded(tmp_path: Path) -> None:
    text = """
hello: "Hello {name}."
bye: {text: "Bye.", if: {slots: [name]}}
ok: {text: "Bye {name}.", if: {slots: [name]}}
"""
    loaded = load(tmp_path, en=text)
    found = loaded.problems({"hello": frozenset(), "bye": frozenset(), "ok": frozenset()})
    told = [one.message for one in found]
    assert ["{name}" in message for message in told] == [False, True, False]
    assert ["without a condition" in message for message in told] == [True, False, True]
    assert found[1].facts == {"template": "hello", "language": "en", "variable": "name"}
    assert loaded.problems({"hello": frozenset({"name"})}) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hi: {txt: Hello}", "text"),
        ("hi: {text: Hello, if: {chanel: web}}", "if.chanel"),
        ("hi: {text: Hello, buttons: [{title: Go}]}", "payload"),
        ("hi: {text: 'Hello {'}", "brace"),
        ("hi: []", "list of texts"),
    ],
)
def test_a_wrong_variant_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(TemplateError, match=r"en\.yml: `hi`") as caught:
        load(tmp_path, en=text)
    assert named in str(caught.value)
