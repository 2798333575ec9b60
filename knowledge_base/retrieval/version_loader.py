"""Loading of a version of the knowledge base from its folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base.documents import KnowledgeError
from knowledge_base.encoders.base_models import Encoder
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.filters import FilterFields
from knowledge_base.index.jsonl_store import JsonlStore
from knowledge_base.index.sparse import SparseIndex
from knowledge_base.index.storage import (
    CHUNKS,
    FACTS,
    NUMBERS,
    SPARSE,
    StoredChunks,
    adapter_file,
    dense_file,
    is_current,
    open_documents,
)
from knowledge_base.retrieval.adapter import QueryAdapter
from knowledge_base.retrieval.answerability import AnswerabilityModel
from knowledge_base.retrieval.search import FusionWeights, KnowledgeBase, KnowledgeIndex
from knowledge_base.retrieval.synonyms import Synonyms
from knowledge_base.retrieval.vector_field import CosineScale, VectorField


def load(
    folder: Path,
    details: Mapping[str, Any],
    version: str,
    encoder: Callable[[str], Encoder],
    synonyms: Synonyms = Synonyms(),  # noqa: B008 — frozen
) -> KnowledgeBase:
    """Load a version; `encoder` returns the encoder of a base, the same as at build time."""
    if not is_current(details):
        message = f"knowledge {version} was built by an older version: run `careline ingest`"
        raise KnowledgeError(message)
    views = []
    for number, view in enumerate(details["views"]):
        view_encoder = encoder(view["base"])
        if view_encoder.id != view["encoder"]:
            message = (
                f"knowledge {version} was built with the encoder {view['encoder']}, not "
                f"{view_encoder.id}: run `careline ingest` to rebuild it"
            )
            raise KnowledgeError(message)
        scale = CosineScale(float(view["unrelated"]), float(view["related"]))
        index = DenseIndex.load(folder / dense_file(number))
        stored = folder / adapter_file(number)
        adapter = QueryAdapter.load(stored) if stored.exists() else None
        views.append(VectorField(view_encoder, index, scale, bool(view["english"]), adapter))
    return KnowledgeBase(
        version,
        KnowledgeIndex(
            documents=open_documents(folder),
            chunks=StoredChunks(JsonlStore(folder / CHUNKS)),
            numbers=np.load(folder / NUMBERS),
            views=views,
            sparse=SparseIndex.load(folder / SPARSE),
            filters=FilterFields.load(folder / FACTS),
        ),
        weights=FusionWeights(**details["weights"]),
        synonyms=synonyms,
        answerability=AnswerabilityModel.load(folder),
    )
