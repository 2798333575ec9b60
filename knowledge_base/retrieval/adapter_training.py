"""Training of query adapters with torch, which serving does not need."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from knowledge_base.retrieval.adapter import QueryAdapter
from knowledge_base.retrieval.vector_field import CosineScale

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RankedQuery:
    """A query and its n candidates.

    `vectors` are the query's, (d,), one per view; `passages` the candidates', (n, d), zero where a
    view has no vector; `rest` is the part of each score that comes from words, (n,), and `share`
    the weight of each view, (views, n). `right` marks the candidates that answer the query.
    """

    vectors: tuple[Floats, ...]
    passages: tuple[Floats, ...]
    rest: Floats
    share: Floats
    right: NDArray[np.bool_]


@dataclass(frozen=True)
class AdapterHyperparameters:
    """The rank, the steps and learning rate of AdamW, the penalty, and the scale of the softmax."""

    rank: int
    steps: int
    rate: float
    stay: float
    sharp: float


def fit(
    lists: Sequence[RankedQuery],
    scales: Sequence[CosineScale],
    dimensions: Sequence[int],
    hyper: AdapterHyperparameters,
) -> list[QueryAdapter]:
    """Return one adapter per view; together they minimise the softmax loss of the right candidates.

    A residual starts at zero, so an adapter without training data changes nothing.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    ups, downs = [], []
    for size in dimensions:
        ups.append(torch.zeros(size, hyper.rank, requires_grad=True))
        initial = torch.randn(hyper.rank, size, generator=generator) / size**0.5
        downs.append(initial.requires_grad_())
    batch = _pad(lists, len(dimensions))
    optimizer = torch.optim.AdamW([*ups, *downs], lr=hyper.rate, weight_decay=0.0)
    for _ in range(hyper.steps):
        optimizer.zero_grad()
        scores = batch.rest
        for view, scale in enumerate(scales):
            adapted = batch.queries[view] + batch.queries[view] @ downs[view].T @ ups[view].T
            unit = torch.nn.functional.normalize(adapted, dim=-1)
            cosines = torch.einsum("qd,qnd->qn", unit, batch.passages[view])
            near = (cosines - scale.unrelated) / (scale.related - scale.unrelated)
            # A score below zero counts as zero, but must be able to rise: hence the leak.
            scores = scores + batch.share[:, view] * torch.nn.functional.leaky_relu(near, 0.1)
        logits = (hyper.sharp * scores).masked_fill(batch.padding, -torch.inf)
        chances = torch.log_softmax(logits, dim=1).masked_fill(~batch.right, -torch.inf)
        loss = -torch.logsumexp(chances, dim=1).mean()
        for up, down in zip(ups, downs, strict=True):
            loss = loss + hyper.stay * ((up @ down) ** 2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return [
        QueryAdapter(up.detach().numpy(), down.detach().numpy())
        for up, down in zip(ups, downs, strict=True)
    ]


@dataclass(frozen=True)
class _Batch:
    queries: list["torch.Tensor"]  # (q, d) per view
    passages: list["torch.Tensor"]  # (q, n, d) per view
    rest: "torch.Tensor"  # (q, n)
    share: "torch.Tensor"  # (q, views, n)
    right: "torch.Tensor"
    padding: "torch.Tensor"


def _pad(lists: Sequence[RankedQuery], views: int) -> _Batch:
    import torch

    longest = max(len(query.right) for query in lists)

    def stack(arrays: Sequence[NDArray[Any]], fill: Any) -> "torch.Tensor":
        widths = [(0, 0)] * (arrays[0].ndim - 1)
        padded = [
            np.pad(a, [*widths, (0, longest - a.shape[-1])], constant_values=fill) for a in arrays
        ]
        return torch.from_numpy(np.stack(padded))

    def shares(query: RankedQuery) -> Floats:
        missing = views - len(query.share)
        return np.pad(query.share, [(0, missing), (0, 0)])

    queries, passages = [], []
    for view in range(views):
        size = max(query.vectors[view].shape[0] for query in lists if view < len(query.vectors))
        blank = np.zeros(size, dtype=np.float32)
        covered = [view < len(query.vectors) for query in lists]
        vectors = [q.vectors[view] if s else blank for q, s in zip(lists, covered, strict=True)]
        queries.append(torch.from_numpy(np.stack(vectors)))
        rows = [
            np.pad(q.passages[view], [(0, longest - len(q.right)), (0, 0)])
            if s
            else np.zeros((longest, size), dtype=np.float32)
            for q, s in zip(lists, covered, strict=True)
        ]
        passages.append(torch.from_numpy(np.stack(rows)))
    return _Batch(
        queries=queries,
        passages=passages,
        rest=stack([query.rest for query in lists], 0.0),
        share=stack([shares(query) for query in lists], 0.0),
        right=stack([query.right for query in lists], fill=False),
        padding=stack([np.zeros(len(query.right), dtype=bool) for query in lists], fill=True),
    )
