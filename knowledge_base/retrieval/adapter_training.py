"""Fitting adapters of queries, with torch; serving needs none of it."""

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

    `vectors` are the query's, (d,), one a view; `passages` the candidates', (n, d), zero where a
    view sees nothing; `rest` is what the words give to each score, (n,), and `share` what each
    view's meaning counts, (views, n). `right` marks what answers.
    """

    vectors: tuple[Floats, ...]
    passages: tuple[Floats, ...]
    rest: Floats
    share: Floats
    right: NDArray[np.bool_]


@dataclass(frozen=True)
class AdapterHyperparameters:
    """Rank of the residual, steps and rate of AdamW, the price of moving, the softmax's scale."""

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
    """Return one adapter a view: they minimise the softmax loss of what answers.

    A residual starts at zero, so that without a reason nothing moves.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    ups, downs = [], []
    for size in dimensions:
        ups.append(torch.zeros(size, hyper.rank, requires_grad=True))
        drawn = torch.randn(hyper.rank, size, generator=generator) / size**0.5
        downs.append(drawn.requires_grad_())
    batch = _padded(lists, len(dimensions))
    optimizer = torch.optim.AdamW([*ups, *downs], lr=hyper.rate, weight_decay=0.0)
    for _ in range(hyper.steps):
        optimizer.zero_grad()
        scores = batch.rest
        for view, scale in enumerate(scales):
            moved = batch.queries[view] + batch.queries[view] @ downs[view].T @ ups[view].T
            unit = torch.nn.functional.normalize(moved, dim=-1)
            cosines = torch.einsum("qd,qnd->qn", unit, batch.passages[view])
            near = (cosines - scale.unrelated) / (scale.related - scale.unrelated)
            # Below zero it counts as zero, but what lies there must be able to rise.
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
    queries: list["torch.Tensor"]  # (q, d) a view
    passages: list["torch.Tensor"]  # (q, n, d) a view
    rest: "torch.Tensor"  # (q, n)
    share: "torch.Tensor"  # (q, views, n)
    right: "torch.Tensor"
    padding: "torch.Tensor"


def _padded(lists: Sequence[RankedQuery], views: int) -> _Batch:
    import torch

    longest = max(len(one.right) for one in lists)

    def stacked(arrays: Sequence[NDArray[Any]], fill: Any) -> "torch.Tensor":
        widths = [(0, 0)] * (arrays[0].ndim - 1)
        grown = [
            np.pad(a, [*widths, (0, longest - a.shape[-1])], constant_values=fill) for a in arrays
        ]
        return torch.from_numpy(np.stack(grown))

    def shares(one: RankedQuery) -> Floats:
        missing = views - len(one.share)
        return np.pad(one.share, [(0, missing), (0, 0)])

    queries, passages = [], []
    for view in range(views):
        size = max(one.vectors[view].shape[0] for one in lists if view < len(one.vectors))
        blank = np.zeros(size, dtype=np.float32)
        seen = [view < len(one.vectors) for one in lists]
        asked = [o.vectors[view] if s else blank for o, s in zip(lists, seen, strict=True)]
        queries.append(torch.from_numpy(np.stack(asked)))
        rows = [
            np.pad(o.passages[view], [(0, longest - len(o.right)), (0, 0)])
            if s
            else np.zeros((longest, size), dtype=np.float32)
            for o, s in zip(lists, seen, strict=True)
        ]
        passages.append(torch.from_numpy(np.stack(rows)))
    return _Batch(
        queries=queries,
        passages=passages,
        rest=stacked([one.rest for one in lists], 0.0),
        share=stacked([shares(one) for one in lists], 0.0),
        right=stacked([one.right for one in lists], fill=False),
        padding=stacked([np.zeros(len(one.right), dtype=bool) for one in lists], fill=True),
    )
