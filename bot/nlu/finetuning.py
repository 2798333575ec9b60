"""Fine-tuning: encoder and linear head learn together, on a GPU where there is one."""

import copy
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from bot.nlu.datasets import Example
from bot.nlu.intents import Head
from bot.types import CarelineError
from knowledge_base import torch_models
from knowledge_base.encoders import TorchEncoder, Vectors
from knowledge_base.torch_models import SentenceModel, device

_BATCH: Final = 32
_STEPS: Final = 200  # enough for a few thousand texts; fewer texts are seen more often
_EPOCHS: Final = (2, 8)
_ENCODER_RATE: Final = 3e-4
_HEAD_RATE: Final = 5e-4
_LAYER_DECAY: Final = 0.9  # each layer further from the head learns this much slower
_WARM_UP: Final = 0.1
_MAX_TOKENS: Final = 64
_SMOOTHING: Final = 0.05
_FROZEN_PART: Final = 3  # the lowest third of the layers, which reads words, stays as it is


def finetune(  # noqa: PLR0913 — the inputs of one run
    encoder: TorchEncoder,
    head: Head,
    *,
    fitted: Sequence[Example],
    held: Sequence[Example],
    labels: Sequence[str],
    folder: Path,
    seed: int,
    progress: bool,
) -> tuple[Head, Vectors]:
    """Fine-tune a copy of the encoder, save it at `folder`, return head and held-out vectors.

    The epoch with the best validation accuracy is kept; the encoder given is left as it was.
    """
    import torch

    torch.manual_seed(seed)
    model = copy.deepcopy(encoder.model)
    linear = _linear(head).to(device())
    number = {label: i for i, label in enumerate(labels)}
    texts = [encoder.base.query_prefix + example.input for example in fitted]
    targets = torch.tensor([number[example.intent] for example in fitted], device=device())
    held_targets = np.array([number[example.intent] for example in held])
    held_texts = [encoder.base.query_prefix + example.input for example in held]
    optimiser = torch.optim.AdamW(_groups(model, linear), weight_decay=0.01)
    per_epoch = math.ceil(len(texts) / _BATCH)
    epochs = min(max(math.ceil(_STEPS / per_epoch), _EPOCHS[0]), _EPOCHS[1])
    steps = epochs * per_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=_SMOOTHING)
    rng = np.random.default_rng(seed)
    lengths = np.array([len(text) for text in texts])
    best = (-1.0, copy.deepcopy(linear), _weights(model))
    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        task = bar.add_task("fine-tuning", total=steps)
        for epoch in range(epochs):
            model.backbone.train()
            for rows in _batches(lengths, rng):
                with torch.autocast(device(), dtype=torch.bfloat16):
                    logits = linear(model.embed([texts[i] for i in rows], max_tokens=_MAX_TOKENS))
                    loss = loss_of(logits.float(), targets[rows])
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.backbone.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                optimiser.zero_grad(set_to_none=True)
                bar.update(task, advance=1, description=f"epoch {epoch + 1}/{epochs}")
            accuracy = _accuracy(model, linear, held_texts, held_targets)
            if accuracy >= best[0]:
                best = (accuracy, copy.deepcopy(linear), _weights(model))
    _, linear, weights = best
    model.backbone.load_state_dict(weights, strict=False)
    model.backbone.eval()
    vectors = torch_models.encode(model, held_texts)
    model.save(folder)
    return _as_head(linear, head), vectors


def _linear(head: Head) -> Any:
    """Return a torch module that computes the head's logits and trains its weight and bias."""
    import torch

    class Standardised(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.from_numpy(head.mean))
            self.register_buffer("scale", torch.from_numpy(head.scale))
            self.weight = torch.nn.Parameter(torch.from_numpy(head.weight.copy()))
            self.bias = torch.nn.Parameter(torch.from_numpy(head.bias.copy()))

        def forward(self, vectors: Any) -> Any:
            standard = (vectors.float() - self.mean) / self.scale
            return torch.nn.functional.linear(standard, self.weight, self.bias)

    return Standardised()


def _as_head(linear: Any, head: Head) -> Head:
    weight = linear.weight.detach().float().cpu().numpy()
    return Head(head.mean, head.scale, weight, linear.bias.detach().float().cpu().numpy())


def _groups(model: SentenceModel, linear: Any) -> list[dict[str, Any]]:
    """Return parameter groups: the head fast, each layer slower than the one above it."""
    transformer = model.backbone
    if not (hasattr(transformer, "embeddings") and hasattr(transformer, "encoder")):
        message = "this base cannot be fine-tuned (its layers are not BERT's): use --method head"
        raise CarelineError(message)
    layers = list(transformer.encoder.layer)
    for frozen in (transformer.embeddings, *layers[: len(layers) // _FROZEN_PART]):
        frozen.requires_grad_(requires_grad=False)
    groups = [{"params": list(linear.parameters()), "lr": _HEAD_RATE}]
    for depth, layer in enumerate(reversed(layers)):
        parameters = [p for p in layer.parameters() if p.requires_grad]
        if parameters:
            groups.append({"params": parameters, "lr": _ENCODER_RATE * _LAYER_DECAY**depth})
    return groups


def _rate(step: int, steps: int) -> float:
    """Return the learning rate's factor: linear warm-up, then a cosine down to a twentieth."""
    warm = max(1, int(_WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    return 0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


def _batches(lengths: NDArray[np.int64], rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield shuffled batches of texts of similar length, so that little is padded."""
    order = rng.permutation(len(lengths))
    pools = [order[i : i + 16 * _BATCH] for i in range(0, len(order), 16 * _BATCH)]
    batches = []
    for pool in pools:
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [by_length[i : i + _BATCH].tolist() for i in range(0, len(pool), _BATCH)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def _accuracy(
    model: SentenceModel, linear: Any, texts: Sequence[str], targets: NDArray[np.int64]
) -> float:
    import torch

    model.backbone.eval()
    with torch.no_grad():
        vectors = torch.from_numpy(torch_models.encode(model, texts)).to(device())
        chosen = linear(vectors).argmax(dim=1).cpu().numpy()
    return float((chosen == targets).mean())


def _weights(model: SentenceModel) -> dict[str, Any]:
    """Return copies of what training changes: frozen word embeddings are not copied."""
    return {
        name: parameter.detach().clone()
        for name, parameter in model.backbone.named_parameters()
        if parameter.requires_grad
    }
