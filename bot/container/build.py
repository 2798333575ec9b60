"""Builds from a home's files: a model from its dialogs, the knowledge from documents."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.container.home import Home
from bot.core.settings import Promise
from bot.core.types import CarelineError
from bot.training.job import TrainingJob, TrainingOptions
from knowledge_base.sources.collection import collect

if TYPE_CHECKING:
    from bot.training.datasets import Conversation
    from bot.training.pipeline import TrainingResult
    from knowledge_base.ingest import IngestReport

_KB = "kb"


def train(
    home: Home, options: TrainingOptions, files: Sequence[Path] | None = None
) -> "TrainingResult":
    """Train a version of the classifier from files, or from the home's dialogs; activate it."""
    from bot.training import datasets, pipeline, recipe, turn_classifiers

    base = options.base
    paths = files or datasets.training_files(home.path / "dialogs")
    spoken = _conversations(paths)
    job = TrainingJob(
        datasets.read_all_examples(paths),
        home.encoder(base) if options.method == "head" else home.torch_encoder(base),
        method=options.method,
        valid=options.valid,
        promise=home.settings.promise or Promise(),
        recipe=recipe.load(home.path / recipe.FILE),
        seed=options.seed,
        progress=options.progress,
        retrieval_turns=turn_classifiers.retrieval_turns(
            spoken, home.policy().content.needs_no_knowledge
        ),
        dialogue_act_turns=turn_classifiers.dialogue_act_turns(spoken),
    )
    return pipeline.train(job, home.models)


def _conversations(paths: Sequence[Path]) -> "list[Conversation]":
    """Return the conversations of transcripts among the files that may be learnt from."""
    from bot.training import datasets

    transcripts = [path for path in paths if ".jsonl" in path.name]
    conversations = datasets.read_transcripts(transcripts)
    return [c for c in conversations if not datasets.is_held_back(c.id)]


def ingest(
    home: Home,
    places: Sequence[str | Path] | None = None,
    *,
    depth: int = 1,
    allow_private: bool = False,
    progress: bool = False,
) -> "IngestReport":
    """Build a version of the knowledge from places, or from the home's `kb/`; activate it."""
    from knowledge_base.ingest import ingest

    documents = collect(
        places or [home.path / _KB],
        cache=home.settings.cache_folder / "crawled",
        depth=depth,
        allow_private=allow_private,
    )
    origin: dict[str, Any] = {"depth": depth, "allow_private": allow_private}
    origin["places"] = [_portable(place, home.path) for place in places or [home.path / _KB]]
    encoders = home.indexing_encoders()
    return ingest(documents, home.knowledge_versions, encoders, progress=progress, origin=origin)


def ingest_again(home: Home, *, progress: bool = False) -> "IngestReport":
    """Build the knowledge from where the active version came from, and from the home's `kb/`.

    What was ingested from a folder elsewhere, or from the web, stays; the home's own articles come
    last, so that they win.
    """
    current = home.knowledge_versions.current()
    origin = current.details.get("origin", {}) if current else {}
    elsewhere = [place for place in origin.get("places", ()) if place != _KB]
    places = [place if "://" in place else home.path / place for place in elsewhere]
    gone = [str(place) for place in places if isinstance(place, Path) and not place.exists()]
    if gone:
        message = (
            f"the knowledge came from {', '.join(gone)} too, which is not there: "
            "run `careline ingest` with the places it shall come from"
        )
        raise CarelineError(message, "places_gone", places=", ".join(gone))
    if (home.path / _KB).is_dir() or not places:
        places.append(home.path / _KB)
    return ingest(
        home,
        places,
        depth=origin.get("depth", 1),
        allow_private=origin.get("allow_private", False),
        progress=progress,
    )


def _portable(place: str | Path, home: Path) -> str:
    """Return how a place is kept: a home may be moved, and its own folders with it."""
    if isinstance(place, str) and "://" in place:
        return place
    path = Path(place).resolve()
    own = home.resolve()
    return path.relative_to(own).as_posix() if path.is_relative_to(own) else str(path)
