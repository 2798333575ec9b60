"""Surges in a home's own counts: which topic, how much, what customers wrote, what had changed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from bot.analytics.surge_detection import DetectorSettings, watch

HISTORY: Final = timedelta(days=180)  # of which the ordinary is learnt


@dataclass(frozen=True)
class Surge:
    """Days in a row on which a topic had more negative messages than its past explains."""

    topic: str  # an intent, or the id of a topic that was found
    first: date
    last: date
    observed: int  # messages on the first day
    expected: float  # of them
    score: float  # the highest, in standard deviations
    also: tuple[str, ...] = ()  # intents that surge with it, for the greater part because of it


def surges(
    counts: Mapping[str, Mapping[date, int]],
    first: date,
    last: date,
    plan: DetectorSettings | None = None,
) -> list[Surge]:
    """Judge each topic's daily counts between two days, both included; latest surges first.

    The same counts give the same surges: where in its own probability a count lies is drawn from
    the topic and the day.
    """
    plan = plan or DetectorSettings()
    days = (last - first).days + 1
    topics = sorted(counts)
    if days <= plan.warm_up or not topics:
        return []
    dates = [first + timedelta(days=n) for n in range(days)]
    table = np.array([[counts[t].get(day, 0) for t in topics] for day in dates], dtype=np.int64)
    ties = np.array([[_tie(topic, day) for topic in topics] for day in dates])
    seen = watch(table, ties=ties, first_weekday=first.weekday(), plan=plan)
    found: list[Surge] = []
    for column, topic in enumerate(topics):
        alarms = np.flatnonzero(seen.alarm[:, column]).tolist()
        for run in _runs(alarms, plan.ongoing):
            scores = seen.score[run[0] : run[-1] + 1, column]
            found.append(
                Surge(
                    topic,
                    dates[run[0]],
                    dates[run[-1]],
                    int(table[run[0], column]),
                    round(float(seen.expected[run[0], column]), 1),
                    round(float(scores.max()), 1),
                )
            )
    return sorted(found, key=lambda surge: (surge.first, surge.score), reverse=True)


def told_once(found: Sequence[Surge], within: Mapping[str, str]) -> list[Surge]:
    """Return surges without those of intents that topics' surges explain; those name them instead.

    `within` says in which intent a topic lies. Surges of such topics explain the intent's on the
    same days where they have at least half of the messages that are too many.
    """
    also: defaultdict[Surge, list[str]] = defaultdict(list)
    gone: set[Surge] = set()
    for whole in found:
        parts = [
            part
            for part in found
            if within.get(part.topic) == whole.topic
            and part.first <= whole.last
            and whole.first <= part.last
        ]
        if parts and 2 * sum(map(_excess, parts)) >= _excess(whole):
            gone.add(whole)
            for part in parts:
                also[part].append(whole.topic)
    return [replace(one, also=tuple(also[one])) for one in found if one not in gone]


def _excess(surge: Surge) -> float:
    return surge.observed - surge.expected


def _tie(topic: str, day: date) -> float:
    digest = hashlib.sha256(f"{topic} {day.isoformat()}".encode()).digest()
    return (int.from_bytes(digest[:4]) + 0.5) / 2**32


def _runs(days: Sequence[int], gap: int) -> list[list[int]]:
    """Return the alarms in groups; within one, no more than `gap` days lie between two."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day - runs[-1][-1] <= gap:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
