"""What a policy says of its intents and slots, and what one of 0.1.0 did not have to say."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.container import Home, doctor
from bot.core.settings import Settings
from bot.dialogue import policy
from bot.dialogue.policy import PolicyContent
from tests.conftest import DEMO

OLD: dict[str, Any] = {
    "entities": {"order_number": r"A\d{5}"},
    "slots": {"email": {"given_by": ["identified", "order_number"]}},
    "routes": {
        "greeting": "template",
        "complaint": "handoff",
        "order_status": {"route": "act", "action": "look", "slots": ["order_number", "email"]},
    },
}
NEW: dict[str, Any] = {
    "slots": {"booking": {"identifies": True, "code": True, "entities": ["booking_code"]},
              "animal": {"keep": True}},
    "routes": {"hello": {"route": "template", "kind": "small_talk"}, "greeting": "template"},
}  # fmt: skip


def test_a_policy_of_0_1_0_goes_by_the_names_it_went_by() -> None:
    content = PolicyContent.model_validate(OLD)
    assert content.small_talk(["greeting", "thanks", "goodbye", "oos"]) == {"greeting", "thanks"}
    assert content.needs_no_knowledge("bot_identity")
    assert content.needs_no_knowledge("goodbye")
    assert content.is_kind("complaint", "complaint")
    for trait in ("identifies", "code", "keep"):
        assert content.slots_with(trait) == {"order_number"}
    kept = {"order_number", "identified", "customer", "product"}
    assert {name for name in (*kept, "email", "size") if content.kept(name)} == kept


def test_a_policy_that_says_it_goes_by_what_it_says() -> None:
    content = PolicyContent.model_validate(NEW)
    assert content.small_talk(["hello", "greeting", "thanks"]) == {"hello"}
    assert not content.is_kind("complaint", "complaint")
    assert content.slots_with("identifies") == {"booking"}
    assert content.kinds_of_entities("code") == {"booking_code"}
    names = ("animal", "booking", "order_number", "identified", "customer")
    assert [name for name in names if content.kept(name)] == ["animal", "identified", "customer"]


def test_the_demo_says_the_same_as_0_1_0_did() -> None:
    new = policy.load(DEMO / "policy.yml").content
    raw = yaml.safe_load((DEMO / "policy.yml").read_text(encoding="utf-8"))
    for entry in (*raw["routes"].values(), *raw["slots"].values()):
        for field in ("kind", "identifies", "code", "keep"):
            if isinstance(entry, dict):
                entry.pop(field, None)
    old = PolicyContent.model_validate(raw, context={"folder": DEMO})
    names = {*new.routes, "oos"}
    for name in names:
        for kind in ("small_talk", "about_assistant", "complaint"):
            assert new.is_kind(name, kind) == old.is_kind(name, kind)
    for trait in ("identifies", "code", "keep"):
        assert new.slots_with(trait) == old.slots_with(trait)
        assert new.kinds_of_entities(trait) == old.kinds_of_entities(trait)
    assert new.undeclared(names) == []


def test_the_doctor_names_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(OLD), encoding="utf-8")
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "en.yml").write_text("greeting: Hello\n", encoding="utf-8")
    home = Home(Settings.load(tmp_path))
    (found,) = [one for one in doctor.examine(home) if one.name == "policy"]
    assert found.ok, found.message
    assert "add `kind: small_talk` to the routes of greeting" in found.message
    assert "add `identifies: true` to the slots order_number" in found.message


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"routes": {"hi": {"route": "template", "kind": "chat"}}}, "routes.hi.kind"),
        ({"slots": {"email": {"keep": "always"}}}, "slots.email.keep"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, wrong: dict[str, Any], place: str) -> None:
    path = tmp_path / "policy.yml"
    path.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    with pytest.raises(policy.PolicyError, match=place):
        policy.load(path)
