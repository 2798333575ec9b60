"""`careline corrections`: the corrections of agents, as a file for training."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show


@app.command()
def corrections(
    out: Annotated[Path, typer.Argument(help="File to write: JSONL, a conversation per line.")],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the corrections of agents as transcripts for `careline train --from current --add`."""
    from bot.core.types import CarelineError
    from bot.store.corrections import Corrections

    opened = open_home(home)
    opened.log()
    rows = list(Corrections(opened.engine).transcripts())
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}"
        raise CarelineError(message) from error
    turns = [turn for row in rows for turn in row["turns"]]
    result = {
        "file": str(out),
        "conversations": len(rows),
        "intents": sum("intent" in turn for turn in turns),
        "articles": sum("article" in turn for turn in turns),
    }
    summary = "{conversations} conversations, {intents} intents, {articles} articles: {file}"
    show(result, as_json=as_json, text=lambda: summary.format(**result))
