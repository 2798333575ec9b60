"""Commands that talk: ask, chat, search, articles."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show

if TYPE_CHECKING:
    from bot.core.types import Turn
    from bot.nlu.explanation import Explanation


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What the customer writes.")],
    *,
    conversation: Annotated[
        str | None, typer.Option(help="Continue this conversation; default: a new one.")
    ] = None,
    sender: Annotated[str | None, typer.Option(help="Who writes.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer one message through the serving path, log included."""
    from bot.container import build_assistant
    from bot.core import serialization
    from bot.core.types import Message, Turn, new_id

    bot = build_assistant(open_home(home))
    message = Message(text, conversation or new_id(), sender=sender, channel="cli")
    if as_json:
        show(serialization.turn_json(bot.answer(message)), as_json=True, text=str)
        return
    for event in bot.stream(message):
        if isinstance(event, str):
            typer.echo(event, nl=False)
        elif isinstance(event, Turn):
            typer.echo()
            _details(event)


def _details(turn: "Turn") -> None:
    """Say below a reply where it came from."""
    for button in turn.reply.buttons:
        typer.echo(f"  [{button.title}]")
    for citation in turn.reply.citations:
        typer.echo(f"  — {citation.title} ({citation.article})")
    decision, understanding = turn.decision, turn.understanding
    print(  # noqa: T201 — beside the answer, not in it
        f"[{decision.route} · {decision.reason} · {understanding.intent} "
        f"{understanding.confidence:.2f} · conversation {turn.message.conversation_id}]",
        file=sys.stderr,
    )


@app.command()
def chat(
    *,
    sender: Annotated[str | None, typer.Option(help="Who writes.")] = None,
    home: HomeOption = None,
) -> None:
    """Talk in the terminal; an empty line or Ctrl-D ends it."""
    from bot.container import build_assistant
    from bot.core.types import InvalidMessageError, Message, Turn, new_id

    bot = build_assistant(open_home(home))
    conversation = new_id()
    typer.echo("Write in English or Chinese; an empty line ends the conversation.")
    while line := _line():
        try:
            for event in bot.stream(Message(line, conversation, sender=sender, channel="cli")):
                if isinstance(event, str):
                    typer.echo(event, nl=False)
                elif isinstance(event, Turn):
                    typer.echo()
                    _details(event)
        except InvalidMessageError as error:
            typer.echo(str(error))


def _line() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""
    except UnicodeDecodeError as error:
        from bot.core.types import InvalidMessageError

        message = "that was not text in UTF-8: the conversation ends here"
        raise InvalidMessageError(message) from error


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="What a customer could write.")],
    *,
    version: Annotated[
        str | None, typer.Option("--version", help="Default: the active one.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a message is understood as it is: similar examples, and what each word does."""
    from bot.core.types import CarelineError, InvalidMessageError
    from bot.nlu.explanation import explain as run

    if not text.strip():
        message = "the text is empty: write what a customer could write"
        raise InvalidMessageError(message)
    model = open_home(home).model(version)
    if model is None:
        message = "there is no model yet: run `careline train`"
        raise CarelineError(message)
    found = run(model, text)
    show(found.as_json(), as_json=as_json, text=lambda: _explained(found))


def _explained(found: "Explanation") -> str:
    rejected = ", rejected as out of scope" if found.rejected else ""
    lines = [
        f"{found.intent} {found.confidence:.2f}{rejected}",
        f"strangeness {found.oos_score:.2f}, rejected from {found.oos_threshold:.2f}",
    ]
    if found.runner_up:
        lines.append(f"then {found.runner_up.intent} {found.runner_up.confidence:.2f}")
    lines.append("words: " + "  ".join(f"{t.text} {t.weight:+.2f}" for t in found.tokens))
    lines += [f"  {n.similarity:.3f}  {n.intent}  {n.text}  ({n.source})" for n in found.neighbours]
    return "\n".join(lines)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    *,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find passages, the way the chat finds them."""
    from bot.core.types import CarelineError, InvalidMessageError
    from bot.nlu.language import detect
    from knowledge_base.index.filters import PassageFilter
    from knowledge_base.retrieval.search import hit_json

    if not query.strip():
        message = "the query is empty: write what to look for"
        raise InvalidMessageError(message)
    knowledge = open_home(home).knowledge()
    if knowledge is None:
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    only = PassageFilter.public(datetime.now(UTC).date())
    hits = knowledge.search(query, k, language=detect(query), only=only)
    found = [hit_json(hit) for hit in hits]

    def text() -> str:
        blocks = [f"{f['score']:.3f}  {f['title']}  ({f['article']})\n{f['text']}" for f in found]
        return "\n\n".join(blocks) or "nothing found"

    show(found, as_json=as_json, text=text)


@app.command()
def articles(
    identifier: Annotated[str | None, typer.Argument(help="One article's id.")] = None,
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an article as it was extracted, or list all."""
    from bot.core.types import CarelineError, NotFoundError
    from knowledge_base.index import storage
    from knowledge_base.retrieval.search import article_json

    versions = open_home(home).knowledge_versions
    current = versions.current()
    if current is None or not storage.is_current(current.details):
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    found = storage.open_documents(versions.folder(current.id))
    if identifier is None:
        rows = [article_json(d, with_text=False) for d in found.values()]
        show(
            rows, as_json=as_json, text=lambda: "\n".join(f"{r['id']}  {r['title']}" for r in rows)
        )
        return
    if identifier not in found:
        message = f"there is no article {identifier}: `careline articles` lists them"
        raise NotFoundError(message)
    document = found[identifier]
    show(
        article_json(document, with_text=True),
        as_json=as_json,
        text=lambda: f"{document.title}\n\n{document.text}",
    )
