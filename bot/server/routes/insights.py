"""Routes of insights: all figures, surges, conversations, gaps, drafts, CSV."""

from datetime import date
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from bot.analytics import knowledge_gaps, reports
from bot.authoring import article_drafts
from bot.server.auth.access import at_least
from bot.server.dependencies import TheService
from bot.store import topic_store
from bot.store.accounts import AccessLevel
from bot.store.daily_aggregates import ReportQuery
from bot.store.database import Database


def database_of(service: TheService) -> Database:
    """Return the database of the log."""
    return service.home.engine


def period_of(
    days: Annotated[int, Query(ge=1, le=reports.MAX_DAYS)] = 30,
    first: date | None = None,
    last: date | None = None,
    channel: Annotated[str | None, Query(max_length=32)] = None,
    language: Annotated[str | None, Query(max_length=8)] = None,
    synthetic: bool = False,  # noqa: FBT001, FBT002 — a query parameter
) -> ReportQuery:
    """Return the period of the query: the last `days`, or from `first` to `last`."""
    return reports.query(
        days, first=first, last=last, channel=channel, language=language, synthetic=synthetic
    )


router: Final = APIRouter(
    prefix="/api/insights", dependencies=[Depends(at_least(AccessLevel.SUPERVISOR))]
)
TheDatabase = Annotated[Database, Depends(database_of)]
ThePeriod = Annotated[ReportQuery, Depends(period_of)]


@router.get("")
def insights(database: TheDatabase, period: ThePeriod) -> dict[str, Any]:
    """Return all figures of a period."""
    return reports.insights(database, period)


@router.get(".csv", response_class=PlainTextResponse)
def as_csv(database: TheDatabase, period: ThePeriod) -> PlainTextResponse:
    """Return the same figures as CSV."""
    text = reports.as_csv(reports.insights(database, period))
    name = f"careline-{period.first}-{period.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/surges")
def surges(service: TheService, period: ThePeriod) -> dict[str, Any]:
    """Return the surges of a period with examples and the changes before them."""
    return {"surges": service.surges(period)}


@router.get("/conversations")
def conversations(
    database: TheDatabase,
    period: ThePeriod,
    figure: Annotated[str, Query(max_length=32)],
    value: Annotated[str, Query(max_length=512)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Return the conversations behind a figure, such as `outcome` with the value `handoff`."""
    return reports.conversations_of_figure(database, period, figure, value, limit)


class TopicName(BaseModel):
    """The new name of a topic; with `join` it is merged into the topic with that name."""

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    join: bool = False


@router.put("/topics/{topic}")
def rename(topic: str, body: TopicName, database: TheDatabase) -> dict[str, Any]:
    """Rename a discovered topic, or merge it into another."""
    name = " ".join(body.name.split())
    if body.join:
        return {"topic": topic_store.join(database, topic, name), "name": name}
    topic_store.rename(database, topic, name)
    return {"topic": topic, "name": name}


@router.get("/gaps")
def gaps(service: TheService, database: TheDatabase, period: ThePeriod) -> dict[str, Any]:
    """Return the unanswered questions in groups, with examples."""
    home = service.home
    cluster = partial(
        knowledge_gaps.cluster_questions,
        open_knowledge=home.knowledge,
        open_encoder=home.encoder,
    )
    return {"clusters": knowledge_gaps.gaps(database, period, cluster)}


class DraftRequest(BaseModel):
    """Questions that an article should answer."""

    title: str = Field(min_length=1, max_length=200)
    language: Literal["en", "zh", "mixed", "other"] = "en"
    questions: list[Annotated[str, Field(max_length=2000)]] = Field(min_length=1, max_length=20)


@router.post("/drafts", status_code=201)
def draft(body: DraftRequest, service: TheService) -> dict[str, Any]:
    """Write a draft of an article to the home's drafts folder; nothing is published."""
    file = article_drafts.write(service.home.path, body.title, body.language, body.questions)
    return {"path": file.name, "text": file.read_text(encoding="utf-8")}
