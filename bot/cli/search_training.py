"""`careline train search`: what questions and the articles that answered them teach the search."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli.app import open_home, show
from bot.core.types import CarelineError

if TYPE_CHECKING:
    from knowledge_base.index.versions import Version
    from knowledge_base.retrieval.search_training import SearchTrainingResult


def learn_to_search(files: Sequence[Path], home: Path | None, *, as_json: bool) -> None:
    """Learn from queries, by default from those of the home, and publish a version."""
    from bot.analytics import search_queries as sources
    from knowledge_base.retrieval import answerability, search_evaluation, search_training

    place = open_home(home)
    knowledge = place.knowledge()
    if knowledge is None:
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    if files:
        queries = [query for path in files for query in search_evaluation.read_queries(path)]
    else:
        place.log()  # migrated
        queries = sources.of_home(place.path, place.engine)
    learnt = search_training.learn(
        knowledge, queries, lambda said: typer.echo(said + " …", err=True)
    )
    versions = place.knowledge_versions
    version = versions.open(knowledge.version)
    better = learnt.is_better
    judge = answerability.learn(knowledge, queries)
    published = better or judge is not None
    if published:
        version = search_training.publish(versions, version, learnt, judge)
    result = {
        "version": version.id,
        "published": published,
        "judges_itself": judge is not None,  # whether what is found answers, by weights of its own
        "queries": learnt.queries,
        "weights": asdict(learnt.weights),
        "adapted": any(learnt.adapters),
        "mrr": {"before": learnt.seen[0], "after": learnt.seen[1]},
        "mrr_unseen_articles": {"before": learnt.unseen[0], "after": learnt.unseen[1]},
    }
    show(
        result,
        as_json=as_json,
        text=lambda: _said(version, learnt, published=published),
    )


def _said(version: "Version", learnt: "SearchTrainingResult", *, published: bool) -> str:
    (before, after), (bare, unseen) = learnt.seen, learnt.unseen
    if not published:
        return f"{version.id} stays: nothing learnt from {learnt.queries} queries was any better"
    return (
        f"{version.id}: from {learnt.queries} queries; mean reciprocal rank of queries left out "
        f"{before:.3f} → {after:.3f}, of articles left out {bare:.3f} → {unseen:.3f}"
    )
