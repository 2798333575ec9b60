"""Metrics for Prometheus; labels are few and never name a person or a conversation."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

MESSAGES: Final = Counter(
    "careline_messages_total", "Messages answered or handed off.", ["route", "language"]
)
FAILURES: Final = Counter(
    "careline_failures_total", "Messages handed off because something broke.", []
)
REPLY_SECONDS: Final = Histogram(
    "careline_reply_seconds",
    "Time from a message to its finished reply.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
TOKENS: Final = Counter(
    "careline_generated_tokens_total",
    "Tokens of language models: prompt or completion, reported or counted here.",
    ["kind", "source"],
)
FALLBACKS: Final = Counter(
    "careline_generation_fallbacks_total",
    "Replies for which not all words of the language model were used.",
    ["reason"],
)
REQUESTS: Final = Counter(
    "careline_http_requests_total", "HTTP requests.", ["method", "path", "status"]
)
DELIVERIES: Final = Counter(
    "careline_deliveries_total",
    "Deliveries to other systems: delivered, postponed or given up.",
    ["channel", "outcome"],
)
IN_WORK: Final = Gauge("careline_messages_in_work", "Messages being answered now.")
