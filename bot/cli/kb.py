"""Commands about the quality of the knowledge: kb check, kb gaps."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show

if TYPE_CHECKING:
    from bot.analytics.knowledge_gaps import QuestionCluster
    from knowledge_base.quality.checks import QualityIssue, QualityReport

kb = typer.Typer(no_args_is_help=True, help="Quality and gaps of the knowledge.")
app.add_typer(kb, name="kb")


@kb.command()
def check(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Find duplicate and contradictory passages, and outdated articles."""
    from bot.core.types import CarelineError, now
    from bot.store import query_log
    from knowledge_base.quality import checks

    opened = open_home(home)
    knowledge = opened.knowledge()
    if knowledge is None:
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    opened.log()
    report = checks.check(
        list(knowledge.documents.values()),
        knowledge.passages(),
        knowledge.vectors(),
        today=now().date(),
        # An empty log does not show that articles are never retrieved.
        retrieved=query_log.retrieved_articles(opened.engine) or None,
    )
    show(_report_json(report), as_json=as_json, text=lambda: _report_text(report))


def _report_json(report: "QualityReport") -> dict[str, Any]:
    return {
        "findings": [_finding_json(finding) for finding in report.findings],
        "articles": report.articles,
        "passages": report.passages,
    }


def _finding_json(finding: "QualityIssue") -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "articles": list(finding.articles),
        "chunks": list(finding.chunks),
        "passages": [
            {"article": q.article, "start": q.start, "end": q.end, "quote": q.quote}
            for q in finding.quotes
        ],
        "score": finding.score,
        "advice": finding.advice,
    }


def _report_text(report: "QualityReport") -> str:
    lines = []
    for finding in report.findings:
        articles = ", ".join(finding.articles)
        lines.append(f"{finding.severity}  {finding.kind}  {articles}: {finding.advice}")
        lines += [f"    {q.article}: {' '.join(q.quote.split())}" for q in finding.quotes]
    counts = Counter(finding.kind.value for finding in report.findings)
    summary = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())) or "nothing found"
    return "\n".join([*lines, f"{report.articles} articles, {report.passages} passages: {summary}"])


@kb.command()
def gaps(
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="Number of days, up to today (default: all).")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cluster the unanswered questions, to show which articles are missing."""
    from datetime import timedelta

    from bot.analytics import knowledge_gaps
    from bot.core.types import now
    from bot.store import query_log

    opened = open_home(home)
    opened.log()
    since = now() - timedelta(days=days) if days else None
    questions = knowledge_gaps.unanswered(query_log.logged_questions(opened.engine, since))
    clusters = knowledge_gaps.cluster_questions(questions, opened.knowledge, opened.encoder)
    result = {
        "clusters": [_cluster_json(cluster) for cluster in clusters],
        "questions": len(questions),
    }
    show(result, as_json=as_json, text=lambda: _gaps_text(clusters, len(questions)))


def _cluster_json(cluster: "QuestionCluster") -> dict[str, Any]:
    nearest = cluster.nearest
    return {
        "name": cluster.name,
        "count": cluster.count,
        "language": cluster.language,
        "first": cluster.first.isoformat(),
        "last": cluster.last.isoformat(),
        "examples": list(cluster.examples),
        "nearest": {"article": nearest.article, "score": nearest.score} if nearest else None,
    }


def _gaps_text(clusters: "list[QuestionCluster]", n: int) -> str:
    lines = []
    for cluster in clusters:
        near = f", nearest {cluster.nearest.article}" if cluster.nearest else ""
        dates = f"{cluster.first:%Y-%m-%d} to {cluster.last:%Y-%m-%d}"
        lines.append(f"{cluster.count}  {cluster.name}  ({cluster.language}, {dates}{near})")
        lines += [f"    {text}" for text in cluster.examples]
    return "\n".join([*lines, f"{n} unanswered questions in {len(clusters)} clusters"])
