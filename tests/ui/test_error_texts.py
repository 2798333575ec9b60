"""Errors of the server are shown in the locale of the page, by their keys."""

import ast
import string
from collections.abc import Iterator
from typing import Any

import pytest

from bot.dialogue import validation
from bot.dialogue.policy_checks import UNKNOWN_INTENT
from tests.conftest import ROOT
from ui import error_texts
from ui.client.http_client import ApiError, Json
from ui.i18n import CHINESE, ENGLISH


def called_name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


# The position of the reason among the arguments of what reports an issue.
FINDS = {"DraftIssue": 3, "YamlIssue": 2, "warn": 2, "_failed": 1}
FINDS |= {"ConfigurationIssue": 1, "SourceFailure": 2}
FINDS |= dict.fromkeys(("PolicyError", "TemplateError", "InvalidValueError", "KnowledgeError"), 1)


def reasons() -> Iterator[tuple[str, str, set[str]]]:
    """Yield the reasons in the server's code, each with who tells it and the facts it comes with.

    Behind a name that ends in Error the reason is the second argument.
    """
    paths = [
        path for package in ("bot", "knowledge_base") for path in (ROOT / package).rglob("*.py")
    ]
    for path in sorted(paths):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned_facts: set[str] = set()  # those of the last dictionary that was given a name
        for node in sorted(ast.walk(tree), key=lambda node: getattr(node, "lineno", 0)):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
                assigned_facts = keys(node.value)
            if not isinstance(node, ast.Call):
                continue
            name = called_name(node)
            positions = {"RefusedRequestError": 2, "replace": 9, **FINDS}
            position = positions.get(name, 1 if name.endswith("Error") else None)
            if position is None:
                continue
            keywords = {key.arg or "": key.value for key in node.keywords}
            reason = keywords.get(
                "reason", node.args[position] if len(node.args) > position else None
            )
            facts = {*keywords}
            for value in (keywords.get("facts"), keywords.get(""), *node.args[position + 1 :]):
                facts |= keys(value) if isinstance(value, ast.Dict) else set()
                facts |= assigned_facts if isinstance(value, ast.Name) else set()
            facts |= {"place"} if name == "InvalidValueError" else set()  # where it stands is known
            if isinstance(reason, ast.Constant) and isinstance(reason.value, str) and reason.value:
                yield name, reason.value, facts


def keys(dictionary: ast.Dict) -> set[str]:
    return {str(key.value) for key in dictionary.keys if isinstance(key, ast.Constant)}


def test_each_reason_of_the_server_has_a_sentence_with_facts_that_are_given() -> None:
    used = [*reasons()]
    assert len(used) > 120
    for name, reason, facts in used:
        sentences = (
            error_texts.FINDINGS
            if name in FINDS
            else {**error_texts.FINDINGS, **error_texts.REASONS}
        )
        fields = {name for _, name, _, _ in string.Formatter().parse(sentences[reason]) if name}
        assert fields <= facts, reason
    # What is chosen while running, or answered without an error, is not read from the code.
    dynamic = {"changed", "changed_by", "request_too_large", UNKNOWN_INTENT}
    of_fields = {*validation.REASONS.values()}  # each is raised in test_findings
    assert {*error_texts.REASONS, *error_texts.FINDINGS} == {
        reason for _, reason, _ in used
    } | dynamic | of_fields


def make_error(status: int, code: str, **error: Any) -> ApiError:
    complaint = ApiError("The server's own words", status, code)
    complaint.body = {"error": error}
    return complaint


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (make_error(409, "refused", reason="with_colleague", facts={}), "同事正在接待这个会话。"),
        (make_error(409, "refused", reason="not_yours", facts={"state": "queued"}), "现在：等待中"),
        (make_error(403, "http", reason="role", facts={"role": "admin"}), "需要管理员或更高"),
        (make_error(429, "http", reason="too_many_tries", facts={"minutes": 5}), "请 5 分钟后"),
        (make_error(409, "occupied", reason="of tomorrow", facts={}), "已有任务在进行"),
        (make_error(409, "occupied", reason="no_version", facts={}), "已有任务在进行"),  # no fact
        (make_error(422, "unfit"), "内容不符合要求（The server's own words）。"),
        (make_error(401, "http"), "您已退出登录"),
        (make_error(413, "http"), "内容过大。"),
        (make_error(418, "of tomorrow"), "请求未被接受（The server's own words）。"),
        (make_error(502, "error"), "服务器出错"),
        (ApiError("the server does not answer: timed out"), "服务器没有响应"),
    ],
)
def test_a_refusal_is_told_in_chinese_and_else_in_the_servers_words(
    error: ApiError, text: str
) -> None:
    assert text in error_texts.error_text(error, CHINESE)
    assert error_texts.error_text(error, ENGLISH) == str(error)
    assert error_texts.error_text(error) == str(error)  # outside of an event


def test_what_keeps_a_text_from_being_published_is_told_with_its_lines() -> None:
    error = make_error(422, "unfit")
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
    text = error_texts.error_text(error, CHINESE)
    assert text == "第 3 行：`title` 在这里出现了两次，只有最后一个有效；内容不符合要求（no date）"
    assert error_texts.problem_text(other, ENGLISH) == "no date"
