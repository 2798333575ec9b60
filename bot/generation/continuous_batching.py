"""Continuous batching: texts that are generated at the same time share each step of the model.

New texts join and finished ones leave between two steps. Rows of different lengths are padded on
the left; positions count from each row's own start. The library's own manager takes half as long
again for a step on a CPU, where a batch of one must not cost more than the bare model.
"""

import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from torch import Tensor

_MAX_TEXTS: Final = 8  # at once; further ones wait
_IDLE_SECONDS: Final = 0.5


@dataclass(eq=False)
class GenerationRequest:
    """A text being generated: its tokens arrive in `inbox`, then None, or an error."""

    prompt: list[int]
    room: int  # remaining tokens
    inbox: "queue.Queue[int | Exception | None]" = field(default_factory=queue.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    last: int = 0  # the last token
    length: int = 0  # of its tokens in the cache


class ContinuousBatcher:
    """Runs a model in its own thread, with greedy decoding, for all texts together."""

    def __init__(self, model: Any, ends: frozenset[int]) -> None:
        """Set a causal model and its end tokens; the thread starts at once."""
        self._model = model
        self._ends = ends
        self._waiting: queue.Queue[GenerationRequest] = queue.Queue()
        self._texts: list[GenerationRequest] = []
        self._cache: Any = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="generating")
        self._thread.start()

    def submit(self, prompt: list[int], tokens: int) -> GenerationRequest:
        """Start a text of at most this many tokens."""
        text = GenerationRequest(prompt, tokens)
        self._waiting.put(text)
        return text

    @property
    def is_running(self) -> bool:
        """Return whether the thread is running."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop; unfinished texts end with an error."""
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
        """Run some work; an error ends these texts and no others."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 — passed on to the readers' threads
            for text in texts:
                text.inbox.put(error)
            if texts is self._texts:
                self._texts, self._cache = [], None

    def _arrivals(self) -> list[GenerationRequest]:
        """Return the texts to start; wait for one if there is nothing to do."""
        arrivals: list[GenerationRequest] = []
        while len(self._texts) + len(arrivals) < _MAX_TEXTS:
            idle = not (self._texts or arrivals)
            try:
                timeout = _IDLE_SECONDS if idle else None
                arrivals.append(self._waiting.get(block=idle, timeout=timeout))
            except queue.Empty:
                break
        return [text for text in arrivals if not text.cancelled.is_set()]

    def _admit(self, text: GenerationRequest) -> None:
        """Process the prompt and generate the first token; then the text joins the others."""
        import torch

        prompt = torch.tensor([text.prompt], device=self._model.device)
        output = self._model(input_ids=prompt, use_cache=True, logits_to_keep=1)
        text.length = len(text.prompt)
        if self._emit(text, int(output.logits[0, -1].argmax())):
            return
        layers = [(layer.keys, layer.values) for layer in output.past_key_values.layers]
        self._cache = _append_rows(self._cache, layers) if self._texts else output.past_key_values
        self._texts.append(text)

    def _step(self) -> None:
        """Generate one more token of each text."""
        import torch

        texts, device = self._texts, self._model.device
        width = self._cache.get_seq_length()
        padded = [width - text.length for text in texts]
        mask = None
        if any(padded):
            mask = torch.ones(len(texts), width + 1, dtype=torch.long, device=device)
            for row, size in enumerate(padded):
                mask[row, :size] = 0
        output = self._model(
            input_ids=torch.tensor([[text.last] for text in texts], device=device),
            position_ids=torch.tensor([[text.length] for text in texts], device=device),
            attention_mask=mask,
            past_key_values=self._cache,
            use_cache=True,
        )
        tokens = output.logits[:, -1].argmax(dim=-1).tolist()
        for text in texts:
            text.length += 1
        going = [
            row
            for row, (text, token) in enumerate(zip(texts, tokens, strict=True))
            if not self._emit(text, token)
        ]
        if len(going) < len(texts):
            self._texts = [texts[row] for row in going]
            self._cache = self._select_rows(going, width + 1) if going else None

    def _emit(self, text: GenerationRequest, token: int) -> bool:
        """Pass on a token; return whether the text is finished."""
        ended = token in self._ends
        if not ended:
            text.inbox.put(token)
        text.last = token
        text.room -= 1
        if ended or text.room <= 0 or text.cancelled.is_set():
            text.inbox.put(None)
            return True
        return False

    def _select_rows(self, rows: list[int], width: int) -> Any:
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


def _append_rows(cache: Any, more: "list[tuple[Tensor, Tensor]]") -> Any:
    """Return a cache with more rows, each tensor of shape (rows, heads, length, size)."""
    import torch

    width = max(cache.get_seq_length(), more[0][0].shape[2])

    def both(old: "Tensor", new: "Tensor") -> "Tensor":
        return torch.cat([_pad_left(old, width), _pad_left(new, width)])

    return _cache(
        [
            (both(layer.keys, keys), both(layer.values, values))
            for layer, (keys, values) in zip(cache.layers, more, strict=True)
        ]
    )


def _pad_left(tensor: "Tensor", width: int) -> "Tensor":
    """Pad on the left; the attention mask hides the padding."""
    import torch

    return torch.nn.functional.pad(tensor, (0, 0, width - tensor.shape[2], 0))


def _cache(layers: "list[tuple[Tensor, Tensor]]") -> Any:
    from transformers import DynamicCache

    cache = DynamicCache()
    for number, (keys, values) in enumerate(layers):
        cache.update(keys, values, number)
    return cache
