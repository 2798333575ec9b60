"""Surges in a home's own counts: the topic, the size, examples and recent changes."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from bot.analytics.surge_detection import DetectorSettings, detect_surges

HISTORY: Final = timedelta(days=180)  # the past from which the baseline is estimated


@dataclass(frozen=True)
class Surge:
    """Days in a row on which a topic had more negative messages than its past explains."""

    topic: str  # an intent, or the id of a discovered topic
    first: date
    last: date
    observed: int  # messages on the first day
    expected: float  # number of messages on that day
    score: float  # the highest, in standard deviations
    also: tuple[str, ...] = ()  # intents that surge at the same time, mostly because of this topic


def surges(
    counts: Mapping[str, Mapping[date, int]],
    first: date,
    last: date,
    settings: DetectorSettings | None = None,
) -> list[Surge]:
    """Detect surges in each topic's daily counts between two days, both included; latest first.

    The same counts give the same surges: the random place of a count within its own probability is
    derived from the topic and the day.
    """
    settings = settings or DetectorSettings()
    days = (last - first).days + 1
    topics = sorted(counts)
    if days <= settings.warm_up or not topics:
        return []
    dates = [first + timedelta(days=n) for n in range(days)]
    table = np.array([[counts[t].get(day, 0) for t in topics] for day in dates], dtype=np.int64)
    ties = np.array([[_tie(topic, day) for topic in topics] for day in dates])
    result = detect_surges(table, ties=ties, first_weekday=first.weekday(), settings=settings)
    detected: list[Surge] = []
    for column, topic in enumerate(topics):
        alarms = np.flatnonzero(result.alarm[:, column]).tolist()
        for run in _runs(alarms, settings.ongoing):
            scores = result.score[run[0] : run[-1] + 1, column]
            detected.append(
                Surge(
                    topic,
                    dates[run[0]],
                    dates[run[-1]],
                    int(table[run[0], column]),
                    round(float(result.expected[run[0], column]), 1),
                    round(float(scores.max()), 1),
                )
            )
    return sorted(detected, key=lambda surge: (surge.first, surge.score), reverse=True)


def merge_intents(detected: Sequence[Surge], intent_of: Mapping[str, str]) -> list[Surge]:
    """Return surges without those of intents that topics' surges explain; the latter list them.

    `intent_of` maps a topic to its intent. Surges of such topics explain the intent's on the same
    days where they have at least half of the messages that are too many.
    """
    explained_by: defaultdict[Surge, list[str]] = defaultdict(list)
    explained: set[Surge] = set()
    for whole in detected:
        parts = [
            part
            for part in detected
            if intent_of.get(part.topic) == whole.topic
            and part.first <= whole.last
            and whole.first <= part.last
        ]
        if parts and 2 * sum(map(_excess, parts)) >= _excess(whole):
            explained.add(whole)
            for part in parts:
                explained_by[part].append(whole.topic)
    return [
        replace(surge, also=tuple(explained_by[surge]))
        for surge in detected
        if surge not in explained
    ]


def _excess(surge: Surge) -> float:
    return surge.observed - surge.expected


def _tie(topic: str, day: date) -> float:
    digest = hashlib.sha256(f"{topic} {day.isoformat()}".encode()).digest()
    return (int.from_bytes(digest[:4]) + 0.5) / 2**32


def _runs(days: Sequence[int], gap: int) -> list[list[int]]:
    """Return the alarms in groups, with gaps of at most `gap` days within a group."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day - runs[-1][-1] <= gap:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
