"""Errors of the server in the locale of the page: by their stable keys, not by their sentences."""

from collections.abc import Mapping
from typing import Any, Final

from ui import term_texts
from ui.client.http_client import ApiError, Json
from ui.i18n import CHINESE, current_locale

# By the `reason` of an error; names in braces are its facts.
REASONS: Final = {
    "signed_out": "您已退出登录，请重新登录。",
    "wrong_password": "用户名或密码错误。",
    "role": "此操作需要{role}或更高权限。",
    "policy_role": "策略只能由管理员发布。",
    "somebody_else": "您以 {user} 的身份登录，不能替他人操作。",
    "other_site": "其他网站的页面不能代替已登录的用户操作。",
    "too_many_tries": "尝试次数过多，请 {minutes} 分钟后再试。",
    "with_colleague": "同事正在接待这个会话。",
    "not_yours": "这个会话已不由您接待（现在：{state}）。",
    "not_heard_of": "您离开时间过长，会话将回到队列。",
    "not_with_bot": "这个会话不由机器人接待（现在：{state}）。",
    "not_waiting": "这个会话不在等待中（现在：{state}）。",
    "closed": "会话已关闭。",
    "orders_first": "请先接管会话：只有接待者才能查看记录。",
    "orders_elsewhere": "记录保存在其他系统中，请到那里查询。",
    "values_missing": "还缺少以下信息：{names}。",
    "no_such_order": "没有与这些信息相符的记录，请向顾客核对。",
    "no_such_intent": "没有意图 {intent}，请从列表中选择。",
    "is_there": "{path} 已经存在：请打开它，或换一个名称。",
    "changed": "{path} 在您打开后已被修改，您的修改没有写入。请复制您的文字，重新打开后再粘贴。",
    "changed_by": "{path} 在您打开后已被 {who} 修改，您的修改没有写入。"
    "请复制您的文字，重新打开后再粘贴。",
    "unchanged": "{path} 的内容没有变化，没有发布。",
    "belongs_to_home": "{path} 不能删除，可以清空内容。",
    "no_place": "{path} 不能在这里编辑：文章放在 kb/ 下，草稿放在 drafts/ 下。",
    "no_text_file": "{path} 不能在这里编辑：文件名应以 {suffixes} 结尾。",
    "a_folder": "{path} 是文件夹，请写出文件名。",
    "too_long": "超过 {most} 个字符，请拆分。",
    "not_utf8": "{path} 不是 UTF-8 编码，请另存为 UTF-8。",
    "behind_link": "{path} 是链接或位于链接之后，请在原处修改。",
    "not_written": "{path} 无法写入（{why}）。",
    "no_name": "文件名 {name} 不可用：请只用字母、数字、连字符和一个后缀。",
    "other_file": "{path} 已存在且内容不同，请给文件改名。",
    "unread": "无法读取 {name}（{why}）。",
    "no_dialogs": "{name} 不是对话文件，请发送 {suffixes}。",
    "unpacked": "无法解压 {name}（{why}）。",
    "too_much": "{name} 超过 {most} MiB，请拆分。",
    "file_too_large": "文件超过 {most} MiB，请拆分。",
    "empty_file": "文件是空的，请另选一个。",
    "request_too_large": "内容过大：最多 {most} 字节。",
    "occupied": "已有任务在进行，请等待其结束或先停止它。",
    "not_in_work": "任务 {job} 未在运行。",
    "not_begun": "任务尚未开始，请再试一次。",
    "nothing_before": "没有更早的版本可以回退。",
    "name_taken": "已有主题叫“{name}”，请换一个名称，或将两者合并。",
    "no_topic": "没有这个主题，或没有另一个叫这个名称的主题。",
    "made_up_topic": "该主题来自模拟消息，会随之删除，请另选一个。",
    "no_version": "没有版本 {version}。",
    # Why a job failed.
    "nothing_to_train_on": "还没有对话数据：请先上传含 text 和 intent 两列的 CSV，"
    "或 JSONL 对话记录。",
    "too_few": "样本太少：{examples} 条文字，除 oos 外只有 {intents} 个意图，至少需要两个。",
    "places_gone": "知识库还来自 {places}，但该位置已不存在："
    "请用 `careline ingest` 指明要读入的位置。",
    "not_fine_tuned": "这个基础编码器不能微调，请选择快速训练。",
    "died": "任务进程突然结束，可能是内存不足。\n{said}",
}
# Problems that a check of a text reports, by their `reason`.
FINDINGS: Final = {
    "too_long": "超过 {most} 个字符，请拆分",
    "no_text": "含有不是文字的字符，请删除",
    "not_yaml": "不是正确的 YAML（{why}）：请写成 `名称: 值`，含冒号、# 或花括号的文字请加引号",
    "too_deep": "条目嵌套过深，请减少层次",
    "holds_itself": "条目引用了自身，请直接写出内容",
    "too_many": "展开别名后超过 {most} 个条目",
    "twice": "`{name}` 在这里出现了两次，只有最后一个有效",
    "no_front_matter": "没有文件头：请以 `---`、`language: zh`、`---` 开头",
    "no_language": "没有注明语言：请在顶部写 `language: zh` 或 `en`",
    "for_staff": "仅供内部人员：不会用于回答顾客",
    "not_before": "{day} 之前不会用于回答顾客",
    "ended": "已于 {day} 失效：不会用于回答顾客",
    "left_over": "请写好文章，然后删除这一行",
    "outside": "`{name}` 位于内容文件夹之外：请把文件放到 policy.yml 所在的文件夹",
    # Values of the policy, a template or a canned reply, by their place.
    "field_missing": "{place}：缺少这一项，请补上",
    "field_unknown": "{place}：没有这一项，请检查拼写或删除",
    "field_empty": "{place}：不能为空",
    "field_too_long": "{place}：最多 {max_length} 个字符",
    "name_not_text": "{place}：名称应为文字，请加引号",
    "not_one_of": "{place}：只能是 {expected}",
    "not_text": "{place}：应为文字，请加引号",
    "not_whole": "{place}：应为整数",
    "not_number": "{place}：应为数字",
    "not_yes_or_no": "{place}：应为 true 或 false",
    "not_list": "{place}：应为列表，请写成 `[甲, 乙]`",
    "not_mapping": "{place}：应为 `名称: 值` 的形式",
    "not_above": "{place}：应大于 {gt}",
    "below_least": "{place}：不能小于 {ge}",
    "above_most": "{place}：不能大于 {le}",
    "too_many_items": "{place}：最多 {max_length} 项",
    "not_like": "{place}：不符合格式 {pattern}",
    "no_pattern": "{place}：{pattern} 不是正则表达式（{why}）",
    "slow_pattern": "{place}：{pattern} 在长消息上耗时过长：请去掉嵌套的重复（如 (a+)+）"
    "和连续的多个 .*",
    "no_time_zone": "{place}：没有时区 {zone}，请写成 Europe/Berlin 这样",
    "no_day": "{place}：{day} 不是星期，请写 mon 或 mon-fri",
    "no_hours": "{place}：{hours} 不是时间段，请写成 09:00-18:00",
    "no_entity": "{place}：请写正则表达式、{{values: {{名称: [其他名称]}}}} 或 {{file: names.txt}}",
    "unread_names": "{place}：无法将 {names} 作为 UTF-8 文本读取（{why}）",
    "empty_name": "{place}：有一个名称是空的",
    "two_owners": "{place}：{known} 同时属于 {first} 和 {second}",
    "no_values": "{place}：列表是空的",
    # Contradictions between files.
    "unknown_intent": "模型还不认识意图 `{intent}`",
    "no_action": "意图 `{intent}` 的处理方式（route）是 act，但没有写操作（action）",
    "no_template": "意图 `{intent}` 用到的模板 `{template}` 不存在",
    "no_emergency_template": "紧急情况用到的模板 `{template}` 不存在",
    "slot_unasked": "`slots` 中的 `{slot}` 没有任何意图会用到",
    "not_always_known": "模板 `{template}`（{language}）用到的 {{{variable}}} 不一定有值："
    "请加上 `if: {{slots: [{variable}]}}`",
    "always_conditional": "模板 `{template}`（{language}）的每种说法都有条件：请加一种没有条件的",
    "no_utf8": "不是 UTF-8 编码，请另存为 UTF-8",
    "no_templates": "应为模板名称和各自的文字",
    "no_titles": "titles：应为意图和按钮上的文字",
    "no_texts": "模板 `{template}`：应为一段文字或文字的列表",
    "lone_brace": "模板 `{template}` 中有不属于变量的花括号（{why}）",
    "no_variable": "模板 `{template}` 中的变量 {{{variable}}} 不是名称",
    # Articles and uploaded files.
    "empty": "文件是空的",
    "without_text": "里面没有文字",
    "not_one_text": "{key} 只能写一段文字，不能写多个",
    "no_date": "{key} 的 {value} 不是日期，请写成 2026-12-31 这样",
    "exchange_dates": "有效期从 {first} 到 {last}：请对调两个日期",
    "no_tags": "tags 应为词语的列表",
    "nothing_there": "没有可以读入的文档，请先上传或撰写文章",
    "same_id": "另一篇文章有相同的编号，以先读到的为准",
    "not_there": "没有这个文件或文件夹",
    "unknown_kind": "不能读取这种文件，可用的类型：{known}",
    "unopened": "无法打开（{why}）",
    "too_large": "超过 {most} MiB，请拆分",
    "too_many_pages": "有 {pages} 页，超过 {most} 页，请拆分",
    "locked": "受密码保护或格式过旧，请另存为没有密码的新格式",
    "damaged": "已损坏（{why}），请重新导出",
    "only_pictures": "只有页面图片，请先做文字识别（OCR）",
    "no_word": "不是 Word 文档，请重新另存为 .docx",
    "no_archive": "不是可读的 zip 包（{why}），请重新打包",
    "no_questions": "首行应含 question 和 answer 两列，现在是：{found}",
    "row_not_utf8": "第 {row} 行不是 UTF-8 编码，请另存为 UTF-8",
    "no_csv": "第 {row} 行不是正确的 CSV（{why}）",
    "no_columns": "首行应含 text 和 intent 两列，现在是：{found}",
    "row_lacks": "第 {row} 行没有 {lacks}",
    "no_conversation": "第 {row} 行不是含 id 和 turns 的对话（{why}）",
}
_OTHER: Final = "内容不符合要求（{why}）"
# By the code of an error without a known reason.
_CODES: Final = {
    "unreachable": "服务器没有响应，请稍后再试。",
    "cut_off": "回复中断，请重新发送。",
    "busy": "服务器繁忙，请稍后再试。",
    "moved_on": "会话刚有变化，请再看一眼后重试。",
    "stale": "内容已被他人修改，请重新打开。",
    "occupied": "已有任务在进行，请稍后再试。",
    "refused": "会话的状态已改变，请再看一眼。",
    "bad_message": "这条消息无法处理",
    "unfit": "内容不符合要求",
    "invalid": "内容有误",
}
# By the status of an error without a known code.
_STATUSES: Final = {
    401: "您已退出登录，请重新登录。",
    403: "您没有此操作的权限。",
    404: "没有找到",
    409: "与现有内容冲突",
    413: "内容过大。",
    415: "不支持这种文件。",
    422: "内容有误",
    429: "请求过多，请稍后再试。",
}
_REFUSED, _SERVER_ERROR = "请求未被接受", "服务器出错，请稍后再试。"
_SERVER: Final = 500
_MAX_LISTED: Final = 5  # problems in one notice


def error_text(error: ApiError, locale: str | None = None) -> str:
    """Return an error in a locale, by default that of the event handled now."""
    if (locale or current_locale()) != CHINESE:
        return str(error)
    problems = [item for item in error.body.get("problems", ()) if item["severity"] == "error"]
    if problems:
        lines = [f"第 {item['line']} 行：" if item["line"] else "" for item in problems]
        texts = [problem_text(item, CHINESE) for item in problems]
        return "；".join(map("".join, list(zip(lines, texts, strict=True))[:_MAX_LISTED]))
    return _sentence(error.body.get("error") or {}) or _general(error)


def problem_text(problem: Json, locale: str) -> str:
    """Return a problem that the check of a text reported, without its line."""
    if locale != CHINESE:
        return str(problem["message"])
    return _with_file(problem) or _OTHER.format(why=problem["message"])


def unread_file_text(file: Json, locale: str) -> str:
    """Return the name of a file that could not be read, and why."""
    why = _with_file(file) if locale == CHINESE else ""
    return f"{file['path']}：{why}" if why else f"{file['path']}: {file['error']}"


def job_error_text(job: Json, locale: str) -> str:
    """Return why a job failed, in the server's words if there are no others."""
    sentence = _sentence(job) if locale == CHINESE else ""
    return sentence.strip() or str(job["error"])


def _sentence(error: Mapping[str, Any]) -> str:
    """Return an error or a problem as a sentence; an empty string if its reason is unknown."""
    problem = _with_file(error)
    return _fill(REASONS, error) or (f"{problem}。" if problem else "")


def _with_file(error: Mapping[str, Any]) -> str:
    """Return a problem, with its file if that is not the one on the screen."""
    problem, file = _fill(FINDINGS, error), (error.get("facts") or {}).get("file")
    return f"{file}：{problem}" if problem and file else problem


def _fill(sentences: Mapping[str, str], error: Mapping[str, Any]) -> str:
    """Return the sentence of a reason with its facts; an empty string if either is unknown."""
    facts = error.get("facts") or {}
    terms = {"state": term_texts.STATES, "role": term_texts.TERMS, "place": {"": "文件"}}
    translated = {name: terms.get(name, {}).get(value, value) for name, value in facts.items()}
    try:
        return sentences[error["reason"]].format(**translated)
    except KeyError:
        return ""


def _general(error: ApiError) -> str:
    """Return a sentence for a code or a status, with the server's message if it is unfinished."""
    code = _CODES.get(error.code)
    status = _SERVER_ERROR if error.status >= _SERVER else _STATUSES.get(error.status, _REFUSED)
    sentence = code or status
    return sentence if sentence.endswith("。") else f"{sentence}（{error}）。"
