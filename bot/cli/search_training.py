"""`careline train search`: train the search on queries with their relevant articles."""

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


def train_search(files: Sequence[Path], home: Path | None, *, as_json: bool) -> None:
    """Train on queries, by default on those of the home, and publish a version."""
    from bot.analytics import search_queries
    from knowledge_base.retrieval import answerability, search_evaluation, search_training

    opened = open_home(home)
    knowledge = opened.knowledge()
    if knowledge is None:
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    if files:
        queries = [query for path in files for query in search_evaluation.read_queries(path)]
    else:
        opened.log()  # migrates the database
        queries = search_queries.of_home(opened.path, opened.engine)
    training = search_training.learn(
        knowledge, queries, lambda step: typer.echo(f"{step} …", err=True)
    )
    versions = opened.knowledge_versions
    version = versions.open(knowledge.version)
    answerability_model = answerability.learn(knowledge, queries)
    is_published = training.is_better or answerability_model is not None
    if is_published:
        version = search_training.publish(versions, version, training, answerability_model)
    result = {
        "version": version.id,
        "published": is_published,
        "judges_itself": answerability_model is not None,
        "queries": training.queries,
        "weights": asdict(training.weights),
        "adapted": any(training.adapters),
        "mrr": {"before": training.seen[0], "after": training.seen[1]},
        "mrr_unseen_articles": {"before": training.unseen[0], "after": training.unseen[1]},
    }
    show(
        result,
        as_json=as_json,
        text=lambda: _summary(version, training, is_published=is_published),
    )


def _summary(version: "Version", training: "SearchTrainingResult", *, is_published: bool) -> str:
    (before, after), (unseen_before, unseen_after) = training.seen, training.unseen
    if not is_published:
        return f"{version.id} stays: training on {training.queries} queries did not improve it"
    return (
        f"{version.id}: trained on {training.queries} queries; MRR of held-out queries "
        f"{before:.3f} → {after:.3f}, of held-out articles {unseen_before:.3f} → {unseen_after:.3f}"
    )
