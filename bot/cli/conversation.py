"""Commands that answer: ask, chat, explain, search, articles."""

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
    text: Annotated[str, typer.Argument(help="Message of the customer.")],
    *,
    conversation: Annotated[
        str | None, typer.Option(help="Conversation to continue (default: a new one).")
    ] = None,
    sender: Annotated[str | None, typer.Option(help="Id of the customer.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer one message as the server would, and log it."""
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
            _print_details(event)


def _print_details(turn: "Turn") -> None:
    """Print buttons and sources below a reply, and the decision on standard error."""
    for button in turn.reply.buttons:
        typer.echo(f"  [{button.title}]")
    for citation in turn.reply.citations:
        typer.echo(f"  — {citation.title} ({citation.article})")
    decision, understanding = turn.decision, turn.understanding
    print(  # noqa: T201 — standard output holds the reply
        f"[{decision.route} · {decision.reason} · {understanding.intent} "
        f"{understanding.confidence:.2f} · conversation {turn.message.conversation_id}]",
        file=sys.stderr,
    )


@app.command()
def chat(
    *,
    sender: Annotated[str | None, typer.Option(help="Id of the customer.")] = None,
    home: HomeOption = None,
) -> None:
    """Chat in the terminal; an empty line or Ctrl-D ends the conversation."""
    from bot.container import build_assistant
    from bot.core.types import InvalidMessageError, Message, Turn, new_id

    bot = build_assistant(open_home(home))
    conversation = new_id()
    typer.echo("Write in English or Chinese; an empty line ends the conversation.")
    while line := _read_line():
        try:
            for event in bot.stream(Message(line, conversation, sender=sender, channel="cli")):
                if isinstance(event, str):
                    typer.echo(event, nl=False)
                elif isinstance(event, Turn):
                    typer.echo()
                    _print_details(event)
        except InvalidMessageError as error:
            typer.echo(str(error))


def _read_line() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""
    except UnicodeDecodeError as error:
        from bot.core.types import InvalidMessageError

        message = "the input is not UTF-8: set the terminal to UTF-8 and start again"
        raise InvalidMessageError(message) from error


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="Message to explain.")],
    *,
    version: Annotated[
        str | None,
        typer.Option("--version", help="Version of the model (default: the active one)."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain the intent of a message: the weights of its words, and similar examples."""
    from bot.core.types import CarelineError, InvalidMessageError
    from bot.nlu.explanation import explain

    if not text.strip():
        message = "the text is empty: give a message to explain"
        raise InvalidMessageError(message)
    model = open_home(home).model(version)
    if model is None:
        message = "there is no model yet: run `careline train`"
        raise CarelineError(message)
    explanation = explain(model, text)
    show(explanation.as_json(), as_json=as_json, text=lambda: _explanation_text(explanation))


def _explanation_text(explanation: "Explanation") -> str:
    rejected = ", rejected as out of scope" if explanation.rejected else ""
    score, threshold = explanation.oos_score, explanation.oos_threshold
    lines = [
        f"{explanation.intent} {explanation.confidence:.2f}{rejected}",
        f"out-of-scope score {score:.2f}, rejected from {threshold:.2f}",
    ]
    if second := explanation.runner_up:
        lines.append(f"next: {second.intent} {second.confidence:.2f}")
    lines.append("words: " + "  ".join(f"{t.text} {t.weight:+.2f}" for t in explanation.tokens))
    lines += [
        f"  {n.similarity:.3f}  {n.intent}  {n.text}  ({n.source})" for n in explanation.neighbours
    ]
    return "\n".join(lines)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Query.")],
    *,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Number of passages.")] = 5,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find passages, with the same search as the chat."""
    from bot.core.types import CarelineError, InvalidMessageError
    from bot.nlu.language import detect
    from knowledge_base.index.filters import PassageFilter
    from knowledge_base.retrieval.search import hit_json

    if not query.strip():
        message = "the query is empty: give some words to search for"
        raise InvalidMessageError(message)
    knowledge = open_home(home).knowledge()
    if knowledge is None:
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    only = PassageFilter.public(datetime.now(UTC).date())
    hits = knowledge.search(query, k, language=detect(query), only=only)
    rows = [hit_json(hit) for hit in hits]

    def text() -> str:
        blocks = [f"{r['score']:.3f}  {r['title']}  ({r['article']})\n{r['text']}" for r in rows]
        return "\n\n".join(blocks) or "nothing found"

    show(rows, as_json=as_json, text=text)


@app.command()
def articles(
    identifier: Annotated[str | None, typer.Argument(help="Id of an article.")] = None,
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the extracted text of an article, or list all articles."""
    from bot.core.types import CarelineError, NotFoundError
    from knowledge_base.index import storage
    from knowledge_base.retrieval.search import article_json

    versions = open_home(home).knowledge_versions
    current = versions.current()
    if current is None or not storage.is_current(current.details):
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    documents = storage.open_documents(versions.folder(current.id))
    if identifier is None:
        rows = [article_json(d, with_text=False) for d in documents.values()]
        show(
            rows, as_json=as_json, text=lambda: "\n".join(f"{r['id']}  {r['title']}" for r in rows)
        )
        return
    if identifier not in documents:
        message = f"there is no article {identifier}: `careline articles` lists them"
        raise NotFoundError(message)
    document = documents[identifier]
    show(
        article_json(document, with_text=True),
        as_json=as_json,
        text=lambda: f"{document.title}\n\n{document.text}",
    )
