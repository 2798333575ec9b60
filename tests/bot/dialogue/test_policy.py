from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.types import (
    ONLY_FILES,
    OUT_OF_SCOPE,
    Decision,
    Entity,
    IntentScore,
    PromiseStatus,
    Route,
    Understanding,
)
from bot.dialogue import policy
from bot.dialogue.handoff import Assignment, ConversationOwner
from bot.dialogue.policy import Policy, PolicyContent, PolicyError
from bot.dialogue.policy_checks import find_issues, find_unfilled_slots
from bot.dialogue.state import FormState, State

CONTENT: dict[str, Any] = {
    "thresholds": {"answer": 0.6, "clarify": 0.3, "evidence": 0.2, "search_evidence": 0.5},
    "default_queue": "support",
    "queues": {"complaint": "complaints"},
    "entities": {"order_number": r"A\d{5}"},
    "routes": {
        "order_status": {"route": "act", "action": "look", "slots": ["order_number"]},
        "change_address": {"route": "act", "action": "move", "slots": ["order_number", "email"]},
        "refund": "template",
        "invoice": {"route": "template", "template": "billing"},
        "greeting": "template",
        "complaint": "handoff",
        "human": {"route": "handoff", "queue": "people", "template": "to_person"},
        "sizes": "retrieve",
    },
}
POLICY = Policy(PolicyContent.model_validate(CONTENT), "p-test")
ORDER = Entity("order_number", "A10234", "A10234", 0, 6)


def understood(
    intent: str | None = "refund",
    confidence: float = 0.9,
    *,
    others: tuple[str, ...] = (),
    emotion: str = "calm",
    language: str = "en",
    entities: tuple[Entity, ...] = (),
) -> Understanding:
    names = (*((intent,) if intent else ()), *others)
    ranking = tuple(IntentScore(name, confidence) for name in names)
    return Understanding(language, "neutral", emotion, intent, confidence, ranking, entities)


def decide(
    understanding: Understanding,
    state: State | None = None,
    text: str = "I have a question",
    *,
    chosen: Policy = POLICY,
) -> Decision:
    return chosen.decide(text, understanding, state or State())


@pytest.mark.parametrize("text", ["", "👍", "?!", "……", " \n"])
def test_a_message_without_words_is_asked_for_some(text: str) -> None:
    decision = decide(understood(), text=text)
    assert (decision.route, decision.reason) == (Route.CLARIFY, "no_words")
    assert decision.template == "unreadable"


@pytest.mark.parametrize("text", ONLY_FILES.values())
def test_files_without_words_are_not_read_and_a_person_is_offered(text: str) -> None:
    decision = decide(understood(), text=text)
    assert (decision.route, decision.reason) == (Route.TEMPLATE, "file_received")
    assert decision.template == "file_received"
    waiting = State(assignment=Assignment(ConversationOwner.QUEUED, queue="support"))
    decision = decide(understood(), waiting, text)
    assert (decision.route, decision.reason) == (Route.HANDOFF, "file_received")
    assert decide(understood(), text=f"{text} it came like this").reason == "route:refund"


@pytest.mark.parametrize("text", ["退", "7", "ok"])
def test_one_letter_character_or_digit_is_a_word(text: str) -> None:
    assert decide(understood(), text=text).reason == "route:refund"


def test_another_language_goes_to_a_person() -> None:
    decision = decide(understood(language="other"))
    assert (decision.route, decision.reason) == (Route.HANDOFF, "other_language")
    assert (decision.template, decision.queue) == ("other_language", "support")


@pytest.mark.parametrize("text", ["Yes", "yes please!", "sure, please", "好的", "需要。", "可以"])
def test_a_yes_to_the_offer_of_a_colleague_is_a_hand_off(text: str) -> None:
    decision = decide(understood(), State(offered_human=True), text)
    assert (decision.route, decision.reason) == (Route.HANDOFF, "accepted_offer")
    assert decide(understood(), State(), text).route is not Route.HANDOFF


@pytest.mark.parametrize("text", ["yes, but where is my refund?", "好的，那退款呢"])
def test_an_answer_that_asks_on_is_no_yes(text: str) -> None:
    assert decide(understood(), State(offered_human=True), text).reason == "route:refund"


@pytest.mark.parametrize("text", ["no", "No thanks.", "不用了", "算了"])
def test_a_no_to_the_offer_of_a_colleague_brings_none(text: str) -> None:
    decision = decide(understood("human"), State(offered_human=True), text)
    assert (decision.route, decision.reason) == (Route.TEMPLATE, "declined_offer")


def test_an_intent_goes_where_its_rule_says() -> None:
    assert decide(understood("refund")) == Decision(
        Route.TEMPLATE, "route:refund", "refund", template="refund"
    )
    assert decide(understood("invoice")).template == "billing"
    assert decide(understood("sizes")) == Decision(Route.RETRIEVE, "route:sizes", "sizes")
    assert decide(understood("greeting")).reason == "smalltalk"


def test_a_hand_off_goes_to_its_queue() -> None:
    complaint = decide(understood("complaint"))
    assert (complaint.route, complaint.queue) == (Route.HANDOFF, "complaints")
    assert complaint.template == "complaint"
    person = decide(understood("human"))
    assert (person.queue, person.template) == ("people", "to_person")


@pytest.mark.parametrize("text", ["A10234", "it's A10234", "订单号是A10234"])
def test_a_bare_number_belongs_to_what_was_just_handed_off(text: str) -> None:
    state = State(
        intent="complaint",
        assignment=Assignment(owner=ConversationOwner.QUEUED, queue="complaints"),
    )
    decision = decide(understood("order_status", entities=(ORDER,)), state, text)
    assert (decision.reason, decision.intent) == ("route:complaint", "complaint")
    assert (decision.route, decision.queue) == (Route.HANDOFF, "complaints")


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (State(intent="complaint"), "where is A10234 then, on the way?"),
        (State(intent="refund"), "A10234"),
        (
            State(intent="complaint", assignment=Assignment(owner=ConversationOwner.RETURNED)),
            "A10234",
        ),
    ],
)
def test_other_numbers_are_read_for_themselves(state: State, text: str) -> None:
    decision = decide(understood("order_status", entities=(ORDER,)), state, text)
    assert decision.intent == "order_status"


def test_an_action_whose_slot_is_missing_asks_for_it() -> None:
    decision = decide(understood("order_status"))
    assert (decision.route, decision.reason) == (Route.ACT, "missing_slot")
    assert (decision.slot, decision.template) == ("order_number", "ask_order_number")


def test_a_slot_comes_from_the_message_or_from_before() -> None:
    here = decide(understood("order_status", entities=(ORDER,)))
    before = decide(understood("order_status"), State(slots={"order_number": "A10234"}))
    assert here == before
    assert (here.route, here.reason) == (Route.ACT, "route:order_status")
    assert (here.action, here.slot) == ("look", None)


def test_a_message_that_brings_the_open_slot_continues_the_action() -> None:
    state = State(forms=(FormState("order_status", "order_number"),))
    decision = decide(understood(OUT_OF_SCOPE, 0.1, entities=(ORDER,)), state, "A10234")
    assert decision == Decision(Route.ACT, "slot_filled", "order_status", action="look")


def test_a_message_that_does_not_bring_it_is_read_for_itself() -> None:
    state = State(forms=(FormState("order_status", "order_number"),))
    left = decide(understood("refund"), state)
    assert (left.reason, left.resumes) == ("route:refund", "ask_order_number")


def test_an_action_of_two_slots_asks_for_the_second_after_the_first() -> None:
    state = State(forms=(FormState("change_address", "order_number"),))
    decision = decide(understood("order_status", 0.1, entities=(ORDER,)), state, "A10234")
    assert (decision.route, decision.slot) == (Route.ACT, "email")


def test_a_message_that_is_surely_not_ours_is_refused() -> None:
    decision = decide(understood(OUT_OF_SCOPE, 0.9, others=("refund",)))
    assert (decision.route, decision.reason) == (Route.TEMPLATE, "out_of_scope")
    assert decision.template == "out_of_scope"


def test_a_message_that_may_not_be_ours_is_looked_up_first() -> None:
    doubt = replace(understood(OUT_OF_SCOPE), ranking=(IntentScore("refund", 0.3),))
    decision = decide(doubt)
    assert (decision.route, decision.reason) == (Route.RETRIEVE, "unsure_search")
    assert POLICY.without_evidence(decision, State()).reason == "out_of_scope"


def test_low_confidence_asks_before_it_answers() -> None:
    unsure = understood("refund", 0.4, others=(OUT_OF_SCOPE, "invoice", "sizes", "human"))
    decision = decide(unsure)
    assert (decision.route, decision.reason) == (Route.CLARIFY, "unsure")
    assert decision.options == ("refund", "invoice", "sizes")
    assert decision.intent == "refund"


@pytest.mark.parametrize(
    ("confidence", "route"),
    [(0.6, Route.TEMPLATE), (0.59, Route.CLARIFY), (0.3, Route.CLARIFY), (0.29, Route.RETRIEVE)],
)
def test_the_thresholds_themselves_count_as_reached(confidence: float, route: Route) -> None:
    assert decide(understood("refund", confidence)).route is route


def test_very_low_confidence_leaves_it_to_the_search() -> None:
    decision = decide(understood("refund", 0.1))
    assert (decision.route, decision.reason) == (Route.RETRIEVE, "unsure_search")


def test_without_a_model_the_search_answers() -> None:
    decision = decide(understood(None, 0.0))
    assert (decision.route, decision.reason) == (Route.RETRIEVE, "no_model")


def test_an_intent_without_rule_is_looked_up() -> None:
    assert decide(understood("new_intent")) == Decision(Route.RETRIEVE, "no_rule", "new_intent")


def promised(
    kind: PromiseStatus, confidence: float = 0.9, candidates: tuple[str, ...] = ()
) -> Understanding:
    return replace(understood("refund", confidence), promised=kind, candidates=candidates)


def test_an_answer_that_keeps_the_promise_is_given_below_the_thresholds() -> None:
    assert decide(promised(PromiseStatus.KEPT, 0.1)).reason == "route:refund"


@pytest.mark.parametrize("candidates", [("refund",), ("refund", "invoice", "sizes")])
def test_an_answer_that_would_not_keep_it_is_a_question(candidates: tuple[str, ...]) -> None:
    decision = decide(promised(PromiseStatus.UNSURE, 0.99, candidates))
    assert (decision.route, decision.reason) == (Route.CLARIFY, "promise")
    assert (decision.options, decision.intent) == (candidates, "refund")
    assert decision.template == "clarify"


@pytest.mark.parametrize("candidates", [(), ("refund", "invoice", "sizes", "human")])
def test_where_no_question_helps_a_person_keeps_the_promise(candidates: tuple[str, ...]) -> None:
    decision = decide(promised(PromiseStatus.UNSURE, 0.99, candidates))
    assert (decision.route, decision.reason) == (Route.HANDOFF, "promise")
    assert decision.queue == "support"


def test_a_question_that_was_asked_in_vain_is_a_hand_off_with_a_promise_as_well() -> None:
    decision = decide(promised(PromiseStatus.UNSURE, 0.99, ("refund",)), State(failures=2))
    assert (decision.route, decision.reason) == (Route.HANDOFF, "repeated_failure")


@pytest.mark.parametrize("kind", [PromiseStatus.VOID, PromiseStatus.NONE])
@pytest.mark.parametrize(
    ("confidence", "route"),
    [(0.6, Route.TEMPLATE), (0.59, Route.CLARIFY), (0.29, Route.RETRIEVE)],
)
def test_without_a_promise_the_thresholds_decide(
    kind: PromiseStatus, confidence: float, route: Route
) -> None:
    assert decide(promised(kind, confidence, ("refund",))).route is route


def test_a_promise_changes_nothing_for_what_is_not_ours() -> None:
    refused = replace(understood(OUT_OF_SCOPE, others=("refund",)), promised=PromiseStatus.UNSURE)
    assert decide(refused).reason == "out_of_scope"


def test_repeated_failure_is_a_hand_off() -> None:
    failed = State(failures=2)
    for decision in (decide(understood("refund", 0.4), failed), decide(understood(), failed, "?")):
        assert (decision.route, decision.reason) == (Route.HANDOFF, "repeated_failure")
        assert decision.queue == "support"
    assert decide(understood("refund", 0.4), State(failures=1)).route is Route.CLARIFY
    assert decide(understood("refund"), failed).route is Route.TEMPLATE


def test_anger_after_a_failure_is_a_hand_off() -> None:
    for understanding in (
        understood("refund", 0.4, emotion="angry"),
        replace(understood(OUT_OF_SCOPE, emotion="angry"), ranking=(IntentScore("refund", 0.3),)),
    ):
        decision = decide(understanding, State(failures=1))
        assert (decision.route, decision.reason) == (Route.HANDOFF, "anger")
        assert decision.template == "anger"
        assert decide(understanding).route is not Route.HANDOFF


def test_anger_that_is_understood_is_answered() -> None:
    decision = decide(understood("refund", emotion="angry"), State(failures=1))
    assert decision.route is Route.TEMPLATE


def test_without_knowledge_a_search_is_a_hand_off() -> None:
    bare = replace(POLICY, has_knowledge=False)
    for understanding in (understood("sizes"), understood("refund", 0.1), understood(None, 0.0)):
        decision = decide(understanding, chosen=bare)
        assert (decision.route, decision.reason) == (Route.HANDOFF, "no_knowledge")
        assert decision.queue == "support"


def test_words_that_bring_in_a_person_win_over_the_intent() -> None:
    escalations = [
        {"intent": "refund", "patterns": ["stolen", "被盗"], "queue": "security"},
        {"patterns": ["fraud|诈骗"]},
    ]
    strict = Policy(PolicyContent.model_validate({**CONTENT, "escalations": escalations}), "p")
    stolen = decide(understood("refund"), text="My card was STOLEN", chosen=strict)
    assert (stolen.route, stolen.reason) == (Route.HANDOFF, "escalation")
    assert stolen.queue == "security"
    assert decide(understood("sizes"), text="卡被盗了", chosen=strict).route is Route.RETRIEVE
    fraud = decide(understood("sizes"), text="这是诈骗", chosen=strict)
    assert (fraud.reason, fraud.queue) == ("escalation", "support")
    assert decide(understood("refund"), text="Money back", chosen=strict).reason == "route:refund"


def test_nothing_found_offers_a_colleague_and_then_brings_one() -> None:
    searched = Decision(Route.RETRIEVE, "route:sizes", "sizes")
    assert POLICY.without_evidence(searched, State()).reason == "no_evidence"
    again = POLICY.without_evidence(searched, State(failures=2))
    assert (again.route, again.reason) == (Route.HANDOFF, "repeated_failure")


def test_a_missing_template_falls_back_to_search_or_hand_off() -> None:
    answer = Decision(Route.TEMPLATE, "route:refund", "refund", template="refund")
    assert POLICY.without_template(answer) == Decision(Route.RETRIEVE, "no_template", "refund")
    bare = replace(POLICY, has_knowledge=False).without_template(answer)
    assert (bare.route, bare.template) == (Route.HANDOFF, "handoff")
    person = Decision(Route.HANDOFF, "route:human", "human", template="to_person", queue="people")
    assert POLICY.without_template(person) == replace(person, template="handoff")
    asked = Decision(Route.ACT, "missing_slot", "order_status", template="ask_order_number")
    assert POLICY.without_template(asked) == asked


def test_an_action_that_failed_goes_to_a_person() -> None:
    failed = POLICY.action_failed(Decision(Route.ACT, "slot_filled", "order_status", action="x"))
    assert (failed.route, failed.reason) == (Route.HANDOFF, "action_failed")
    assert (failed.intent, failed.queue) == ("order_status", "support")


def test_a_search_that_stands_alone_needs_better_evidence() -> None:
    known = POLICY.evidence_threshold(Decision(Route.RETRIEVE, "route:sizes", "sizes"))
    alone = [
        POLICY.evidence_threshold(Decision(Route.RETRIEVE, reason))
        for reason in ("no_model", "unsure_search")
    ]
    assert known == 0.2
    assert alone == [0.5, 0.5]


def test_only_entities_some_action_asks_for_become_slots() -> None:
    money = Entity("money", "$5", "$5", 10, 12)
    found = POLICY.slots("A10234", understood(entities=(ORDER, money)), State())
    assert found == {"order_number": "A10234"}


def test_problems_name_what_does_not_fit() -> None:
    intents = set(CONTENT["routes"]) - {"refund"}
    templates = {"billing", "greeting", "to_person"}
    assert [one.message for one in find_issues(POLICY.content, intents, templates)] == [
        "intent `refund` in policy.yml is unknown to the model",
        "template `refund` of intent `refund` does not exist",
    ]
    assert find_issues(POLICY.content, CONTENT["routes"], {*templates, "refund"}) == []


def test_without_a_model_no_intent_is_unknown() -> None:
    assert find_issues(POLICY.content, (), {"billing", "greeting", "to_person", "refund"}) == []


def test_an_act_without_action_is_a_problem() -> None:
    content = PolicyContent.model_validate({"routes": {"refund": "act"}})
    (problem,) = find_issues(content, {"refund"}, ())
    assert problem.message == "intent `refund` in policy.yml acts but names no action"
    assert (problem.reason, problem.facts) == ("no_action", {"intent": "refund"})


def test_slots_that_no_message_can_fill_are_named() -> None:
    names = ["code", "email", "wish", "when", "first_name", "customer"]
    route = {"route": "act", "action": "look", "slots": names}
    slots = {"wish": {"free_text": True}, "when": {"entities": ["date", "place"]}}
    content = PolicyContent.model_validate(
        {"entities": {"code": "A1"}, "slots": slots, "routes": {"visit": route}}
    )
    (advice,) = find_unfilled_slots(content, {"email", "date"})
    assert "`first_name`" in advice


def test_without_a_file_the_built_in_policy_retrieves(tmp_path: Path) -> None:
    built_in = policy.load(tmp_path / "policy.yml")
    assert built_in.version == "p-builtin"
    assert decide(understood("refund"), chosen=built_in).route is Route.RETRIEVE


def test_a_file_is_read_and_its_version_follows_its_content(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_text("routes:\n  退款: template\n", encoding="utf-8")
    first = policy.load(path)
    assert first.content.routes["退款"].route == "template"
    assert policy.load(path).version == first.version
    path.write_text("routes:\n  退款: retrieve\n", encoding="utf-8")
    assert policy.load(path).version != first.version
    path.write_text("", encoding="utf-8")
    assert policy.load(path).content == PolicyContent()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("routes:\n  refund: nowhere\n", "routes.refund.route"),
        ("routes:\n  refund: {route: act, acton: look}\n", "routes.refund.acton"),
        ("thresholds: {answer: 7}\n", "thresholds.answer"),
        ("entities: {order: '('}\n", "entities"),
        ("colour: blue\n", "colour"),
        ("version: 2\n", "version"),
        ("- a list\n", "policy.yml"),
        ("routes: [unclosed\n", "not YAML"),
        ("pause: 2026-13-45\n", "not YAML"),
        ("escalations: [{patterns: ['(']}]\n", "escalations.0.patterns"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "policy.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        policy.load(path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


def test_all_wrong_entries_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_text("colour: blue\nroutes: {refund: nowhere}\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"(?s)(?=.*colour)(?=.*routes\.refund)"):
        policy.load(path)


def test_a_policy_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_bytes("queues: {complaint: 投诉}".encode("gbk"))
    with pytest.raises(PolicyError, match=r"policy\.yml"):
        policy.load(path)
