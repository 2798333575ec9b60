"""Continuous batching: texts that are written at the same time share each step of the model.

A new text joins between two steps and a finished one leaves. Rows of different lengths are padded
on the left; positions count from each row's own beginning. The library's own manager takes half as
long again for a step on a CPU, where a batch of one must cost what the bare model costs.
"""

import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from torch import Tensor

_MOST: Final = 8  # texts at once; further ones wait
_IDLE_SECONDS: Final = 0.5


@dataclass(eq=False)
class GenerationRequest:
    """A text in work: its tokens arrive in `inbox`, then None, or the error that ended it."""

    asked: list[int]
    room: int  # tokens it may still get
    inbox: "queue.Queue[int | Exception | None]" = field(default_factory=queue.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    last: int = 0  # the token to go on from
    length: int = 0  # tokens of it the cache holds


class ContinuousBatcher:
    """Runs a model in a thread of its own, greedily, for as many texts as there are."""

    def __init__(self, model: Any, ends: frozenset[int]) -> None:
        """Take a causal model and the tokens that end a text; the thread starts at once."""
        self._model = model
        self._ends = ends
        self._waiting: queue.Queue[GenerationRequest] = queue.Queue()
        self._texts: list[GenerationRequest] = []
        self._cache: Any = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="generating")
        self._thread.start()

    def submit(self, asked: list[int], tokens: int) -> GenerationRequest:
        """Begin a text of at most so many tokens."""
        text = GenerationRequest(asked, tokens)
        self._waiting.put(text)
        return text

    @property
    def is_running(self) -> bool:
        """Whether texts are still written."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop; texts in work end with an error."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        import torch

        with torch.inference_mode():
            while not self._stopped.is_set():
                for text in self._arrivals():
                    self._guard([text], lambda text=text: self._admit(text))
                if self._texts:
                    self._guard(self._texts, self._step)
        for text in self._texts:
            text.inbox.put(RuntimeError("the generator was closed"))

    def _guard(self, texts: list[GenerationRequest], work: Any) -> None:
        """Do some work; what goes wrong ends these texts and no others."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 — carried over to the readers' threads
            for text in texts:
                text.inbox.put(error)
            if texts is self._texts:
                self._texts, self._cache = [], None

    def _arrivals(self) -> list[GenerationRequest]:
        """Return the texts that may begin; wait for one when nothing is in work."""
        found: list[GenerationRequest] = []
        while len(self._texts) + len(found) < _MOST:
            idle = not (self._texts or found)
            try:
                found.append(self._waiting.get(block=idle, timeout=_IDLE_SECONDS if idle else None))
            except queue.Empty:
                break
        return [text for text in found if not text.cancelled.is_set()]

    def _admit(self, text: GenerationRequest) -> None:
        """Read what is asked and write the first token; then the text joins the others."""
        import torch

        asked = torch.tensor([text.asked], device=self._model.device)
        read = self._model(input_ids=asked, use_cache=True, logits_to_keep=1)
        text.length = len(text.asked)
        if self._said(text, int(read.logits[0, -1].argmax())):
            return
        layers = [(layer.keys, layer.values) for layer in read.past_key_values.layers]
        self._cache = _joined(self._cache, layers) if self._texts else read.past_key_values
        self._texts.append(text)

    def _step(self) -> None:
        """Write one more token of each text."""
        import torch

        texts, device = self._texts, self._model.device
        width = self._cache.get_seq_length()
        padded = [width - text.length for text in texts]
        mask = None
        if any(padded):
            mask = torch.ones(len(texts), width + 1, dtype=torch.long, device=device)
            for row, size in enumerate(padded):
                mask[row, :size] = 0
        done = self._model(
            input_ids=torch.tensor([[text.last] for text in texts], device=device),
            position_ids=torch.tensor([[text.length] for text in texts], device=device),
            attention_mask=mask,
            past_key_values=self._cache,
            use_cache=True,
        )
        tokens = done.logits[:, -1].argmax(dim=-1).tolist()
        for text in texts:
            text.length += 1
        going = [
            row
            for row, (text, token) in enumerate(zip(texts, tokens, strict=True))
            if not self._said(text, token)
        ]
        if len(going) < len(texts):
            self._texts = [texts[row] for row in going]
            self._cache = self._kept(going, width + 1) if going else None

    def _said(self, text: GenerationRequest, token: int) -> bool:
        """Hand on a token; tell whether the text is at its end."""
        ended = token in self._ends
        if not ended:
            text.inbox.put(token)
        text.last = token
        text.room -= 1
        if ended or text.room <= 0 or text.cancelled.is_set():
            text.inbox.put(None)
            return True
        return False

    def _kept(self, rows: list[int], width: int) -> Any:
        """Return the cache of some rows, without padding that none of them needs."""
        import torch

        spare = width - max(text.length for text in self._texts)
        index = torch.tensor(rows, device=self._model.device)
        return _cache(
            [
                (layer.keys[index, :, spare:], layer.values[index, :, spare:])
                for layer in self._cache.layers
            ]
        )


def _joined(cache: Any, more: "list[tuple[Tensor, Tensor]]") -> Any:
    """Return a cache with further rows, each tensor of shape (rows, heads, length, size)."""
    import torch

    width = max(cache.get_seq_length(), more[0][0].shape[2])

    def both(one: "Tensor", other: "Tensor") -> "Tensor":
        return torch.cat([_widened(one, width), _widened(other, width)])

    return _cache(
        [
            (both(layer.keys, keys), both(layer.values, values))
            for layer, (keys, values) in zip(cache.layers, more, strict=True)
        ]
    )


def _widened(tensor: "Tensor", width: int) -> "Tensor":
    """Pad on the left; what is there is never looked at."""
    import torch

    return torch.nn.functional.pad(tensor, (0, 0, width - tensor.shape[2], 0))


def _cache(layers: "list[tuple[Tensor, Tensor]]") -> Any:
    from transformers import DynamicCache

    made = DynamicCache()
    for number, (keys, values) in enumerate(layers):
        made.update(keys, values, number)
    return made
