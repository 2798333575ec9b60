"""What the server refuses is said in the page's language, by its key and never by its words."""

import ast
import string
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import ROOT
from ui import refusals
from ui.client import ApiError, Json
from ui.tongue import CHINESE, ENGLISH


def named(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def reasons(kinds: dict[str, int], ending: str = "-") -> Iterator[tuple[str, set[str]]]:
    """Yield the reasons in the server's code, each with the facts that go with it.

    `kinds` tell where the reason stands among the arguments of what is called; behind a name with
    this ending it is the second one.
    """
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = named(call)
            place = kinds.get(name, 1 if name.endswith(ending) else None)
            if place is None:
                continue
            given = {key.arg or "": key.value for key in call.keywords}
            told = given.get("reason", call.args[place] if len(call.args) > place else None)
            facts = given.get("facts", call.args[3] if len(call.args) > 3 else None)
            if isinstance(facts, ast.Dict):
                given |= {
                    str(key.value): key for key in facts.keys if isinstance(key, ast.Constant)
                }
            if isinstance(told, ast.Constant) and isinstance(told.value, str) and told.value:
                yield told.value, {*given}


def test_each_reason_of_the_server_has_a_sentence_with_facts_that_are_given() -> None:
    raised = [*reasons({"Refusal": 2}, "Error")]
    found = [*reasons({"Fault": 2, "warn": 2, "Problem": 3, "_failed": 1})]
    assert len(raised) > 30
    assert len(found) > 10
    for known, told in ((refusals.REASONS, raised), (refusals.FINDINGS, found)):
        for reason, facts in told:
            wanted = {name for _, name, _, _ in string.Formatter().parse(known[reason]) if name}
            assert wanted <= facts, reason
    # What is chosen while running, or answered without an error, is not read from the code.
    chosen = {"changed", "changed_by", "request_too_large"}
    assert {*refusals.REASONS} == {reason for reason, _ in raised} | chosen
    assert {*refusals.FINDINGS} == {reason for reason, _ in found}


def refused(status: int, code: str, **error: Any) -> ApiError:
    complaint = ApiError("The server's own words", status, code)
    complaint.body = {"error": error}
    return complaint


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refused(409, "refused", reason="with_colleague", facts={}), "同事正在接待这个会话。"),
        (refused(409, "refused", reason="not_yours", facts={"state": "queued"}), "现在：等待中"),
        (refused(403, "http", reason="role", facts={"role": "admin"}), "需要管理员或更高"),
        (refused(429, "http", reason="too_many_tries", facts={"minutes": 5}), "请 5 分钟后"),
        (refused(409, "occupied", reason="of tomorrow", facts={}), "已有任务在进行"),
        (refused(409, "occupied", reason="no_version", facts={}), "已有任务在进行"),  # no fact
        (refused(422, "unfit"), "内容不符合要求（The server's own words）。"),
        (refused(401, "http"), "您已退出登录"),
        (refused(413, "http"), "内容过大。"),
        (refused(418, "of tomorrow"), "请求未被接受（The server's own words）。"),
        (refused(502, "error"), "服务器出错"),
        (ApiError("the server does not answer: timed out"), "服务器没有响应"),
    ],
)
def test_a_refusal_is_told_in_chinese_and_else_in_the_servers_words(
    error: ApiError, told: str
) -> None:
    assert told in refusals.told(error, CHINESE)
    assert refusals.told(error, ENGLISH) == str(error)
    assert refusals.told(error) == str(error)  # outside of an event


def test_what_keeps_a_text_from_being_published_is_told_with_its_lines() -> None:
    error = refused(422, "unfit")
    twice = {"reason": "twice", "facts": {"name": "title"}, "severity": "error", "line": 3}
    other: Json = {
        "reason": "",
        "facts": {},
        "severity": "error",
        "line": None,
        "message": "no date",
    }
    warning = {"reason": "for_staff", "facts": {}, "severity": "warning", "line": 1}
    error.body = {"problems": [twice, warning, other]}
    told = refusals.told(error, CHINESE)
    assert told == "第 3 行：`title` 在这里出现了两次，只有最后一个有效；内容不符合要求（no date）"
    assert refusals.finding(other, ENGLISH) == "no date"
