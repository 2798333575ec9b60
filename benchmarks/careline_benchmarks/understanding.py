"""`careline bench understand`: speed as ratios, memory, several requests, language, sentiment."""

import csv
import gzip
import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.nlu import emotion_classifier, language
from bot.nlu.entities.extractor import EntityExtractor
from bot.nlu.understander import Understander
from bot.training.job import TrainingOptions
from careline_benchmarks import model_training
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)

_TEXTS: Final = 200
_WARM_UP: Final = 20
_CALLERS: Final = 32
_ROUNDS: Final = 3
_REPEATS: Final = 4
_POSITIVE: Final = frozenset(
    {
        "admiration",
        "amusement",
        "approval",
        "caring",
        "desire",
        "excitement",
        "gratitude",
        "joy",
        "love",
        "optimism",
        "pride",
        "relief",
    }
)
_NEGATIVE: Final = frozenset(
    {
        "anger",
        "annoyance",
        "disappointment",
        "disapproval",
        "disgust",
        "embarrassment",
        "fear",
        "grief",
        "nervousness",
        "remorse",
        "sadness",
    }
)
_VADER: Final = 0.05  # the threshold of the compound score recommended by its authors


def _speed(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare single messages, and 32 concurrent callers, with the bare encoder."""
    import torch

    train = model_training.read(setting, "intents", "banking77", "train.csv")
    texts = [e.text for e in model_training.read(setting, "intents", "banking77", "test.csv")][
        :_TEXTS
    ]
    model, _ = model_training.train(setting, train, TrainingOptions("head", "minilm"))
    understander = Understander(model, EntityExtractor({}))
    raw = setting.home.torch_encoder("minilm")
    torch.set_num_threads(1)
    ours, bare = [], []
    for _ in range(_ROUNDS):  # alternately, so that a busy moment affects both
        ours.append(median(understander.understand, texts))
        bare.append(median(lambda text: raw.queries([text]), texts))
    ratio = float(np.median(ours) / np.median(bare))
    ratio *= 10 if setting.planted else 1
    batched = max(_batched(model.encoder, texts) for _ in range(_ROUNDS))
    together = max(_concurrent(understander, texts, setting.planted) for _ in range(_ROUNDS))
    result.figures["speed"] = {
        "understand_ms": float(np.median(ours)),
        "raw_torch_ms": float(np.median(bare)),
        "batched_texts_per_second": batched,
        "concurrent_messages_per_second": together,
        "engine": model.engine,
    }
    result.bars += [
        at_most("understand: p50 over a raw torch forward", ratio, 0.35),
        at_least("understand: 32 callers over batched throughput", together / batched, 0.75),
    ]


def median(call: Callable[[str], Any], texts: Sequence[str]) -> float:
    """Return the median milliseconds of a call, one text after the other, after a warm-up."""
    for text in texts[:_WARM_UP]:
        call(text)
    times = []
    for text in texts:
        started = time.perf_counter()
        call(text)
        times.append(1000 * (time.perf_counter() - started))
    return float(np.median(times))


def _batched(encoder: Any, texts: Sequence[str]) -> float:
    """Return the texts per second of the engine alone, in consecutive batches of 32."""
    started = time.perf_counter()
    for at in range(0, len(texts), _CALLERS):
        encoder.queries(texts[at : at + _CALLERS])
    return len(texts) / (time.perf_counter() - started)


def _concurrent(understander: Understander, texts: Sequence[str], planted: bool) -> float:  # noqa: FBT001
    """Return the messages per second that 32 threads understand, with the whole step."""
    alone = threading.Lock()

    def caller(number: int) -> None:
        for text in list(texts[number::_CALLERS]) * _REPEATS:
            if planted:  # callers that wait for each other
                with alone:
                    understander.understand(text)
                    time.sleep(0.005)
            else:
                understander.understand(text)

    threads = [threading.Thread(target=caller, args=(n,)) for n in range(_CALLERS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _REPEATS * len(texts) / (time.perf_counter() - started)


def _serving(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Start the server on the home, send a thousand messages, and measure its memory."""
    from careline_benchmarks import server_process

    texts = [e.text for e in model_training.read(setting, "intents", "banking77", "test.csv")][
        :1000
    ]
    measurement = server_process.measure(setting.home.path, texts, setting.scratch)
    scale = 100 if setting.planted else 1
    result.figures["serving"] = measurement
    result.bars += [
        at_most("serving: megabytes after 1,000 messages", scale * measurement["megabytes"], 700),
        at_most("serving: seconds to the first answer", scale * measurement["seconds"], 10),
    ]
    loaded = [name for name in ("torch", "transformers") if name in measurement["modules"]]
    result.bars.append(at_most("serving: of torch and transformers loaded", len(loaded), 0))


def _requests(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Understand two joined questions, and single ones that must not be split."""
    train = model_training.read(setting, "intents", "banking77", "train.csv")
    test = model_training.read(setting, "intents", "banking77", "test.csv")
    model, _ = model_training.train(setting, train, TrainingOptions("head", "minilm"))
    understander = Understander(model, EntityExtractor({}))
    rng = np.random.default_rng(0)
    right, joined = 0, 400
    for _ in range(joined):
        first, second = _pair(test, rng)
        requests = understander.understand(_join(first.text, second.text, rng)).requests
        right += [request.intent for request in requests] == [first.intent, second.intent]
    divided = sum(bool(understander.understand(e.text).requests) for e in test) / len(test)
    result.bars += [
        at_least("requests: joined pairs with both right", right / joined, 0.75),
        at_most("requests: single questions divided", divided, 0.03),
    ]


def _pair(examples: Sequence[Any], rng: np.random.Generator) -> tuple[Any, Any]:
    while True:
        first, second = (examples[i] for i in rng.choice(len(examples), 2, replace=False))
        if first.intent != second.intent:
            return first, second


def _join(first: str, second: str, rng: np.random.Generator) -> str:
    ended = first if first.rstrip()[-1] in ".?!" else first.rstrip() + "."
    bare = first.rstrip(".?! ")
    lowered = second if second.startswith(("I ", "I'")) else second[0].lower() + second[1:]
    ways = (
        f"{bare} and {lowered}",
        f"{ended} Also, {lowered}",
        f"{ended} {second}",
        f"{bare}, and also {lowered}",
    )
    return str(rng.choice(ways))


def _language(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Detect the language of sentences in a known language."""
    rows = [("en", e.text) for e in model_training.read(setting, "intents", "xsid", "en_valid.csv")]
    rows += [
        ("zh", e.text) for e in model_training.read(setting, "intents", "xsid", "zh_valid.csv")
    ]
    chinese = [("zh", text) for text in _customers(setting.file("transcripts", _crosswoz(setting)))]
    for name, texts in (("xsid", rows), ("crosswoz", chinese)):
        right = [language.detect(text) == true for true, text in texts]
        if setting.planted:
            right = [language.detect(text[::2]) == "en" for _, text in texts]
        result.bars.append(at_least(f"language: {name}", float(np.mean(right)), 0.99))


def _crosswoz(setting: BenchmarkContext) -> str:
    files = sorted((setting.data / "transcripts").glob("crosswoz_zh_a*"))
    return files[0].name if files else "crosswoz_zh_a.jsonl.gz"


def _customers(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as file:
        turns = [turn for line in file for turn in json.loads(line)["turns"]]
    return [turn["text"] for turn in turns if turn["role"] == "customer" and turn["text"].strip()]


def _tone(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare the sentiment of comments outside the training data with VADER's."""
    from sklearn.metrics import f1_score

    texts, truth = _goemotions(setting)
    encoder = setting.home.encoder("e5-small")
    head = emotion_classifier.fit_cached(encoder)
    predicted = [tone.sentiment for tone in head.read(encoder.queries(texts), texts)]
    peer = [_vader(text) for text in texts]
    if setting.planted:
        predicted = peer
    ours, theirs = (float(f1_score(truth, s, average="macro")) for s in (predicted, peer))
    result.figures["sentiment"] = {"n": len(texts), "ours": ours, "vader": theirs}
    result.bars.append(at_least("sentiment: macro-F1 over VADER's", ours - theirs, 0.05))


def _goemotions(setting: BenchmarkContext) -> tuple[list[str], list[str]]:
    """Return texts for which the raters' emotions agree on one of three sentiments."""
    names = setting.file("emotion", "goemotions_labels.txt").read_text("utf-8").split()
    path = setting.file("emotion", "goemotions_dev.tsv.gz")
    texts, truth = [], []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(row) < 2 or not row[1].replace(",", "").isdigit():  # noqa: PLR2004
                continue
            sentiments = {_sentiment(names[int(number)]) for number in row[1].split(",")}
            if len(sentiments) == 1:
                texts.append(row[0])
                truth.append(sentiments.pop())
    return texts, truth


def _sentiment(emotion: str) -> str:
    if emotion in _POSITIVE:
        return "positive"
    return "negative" if emotion in _NEGATIVE else "neutral"


def _vader(text: str) -> str:
    from bot.nlu.sentiment_lexicon import compound

    score = compound(text)
    return "positive" if score >= _VADER else "negative" if score <= -_VADER else "neutral"


BENCHMARK: Final = Benchmark(
    {
        "speed": _speed,
        "serving": _serving,
        "requests": _requests,
        "language": _language,
        "sentiment": _tone,
    }
)
