"""Fine-tuning: encoder and class vectors are trained together, on a GPU if there is one.

The head is the cosine to one vector per class, which starts as the mean of its examples.
Cross-entropy separates the classes; a supervised contrastive loss (Khosla et al., 2020) moves
examples of a class together, so that distances stay meaningful for messages of no class. The
result is the average of the weights over the last steps.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import CarelineError
from bot.nlu.intent_classifier import LinearHead
from bot.training import typos
from bot.training.checkpoints import Checkpoints
from bot.training.curves import TrainingCurves
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders import torch_models
from knowledge_base.encoders.base_models import TorchEncoder, Vectors
from knowledge_base.encoders.torch_models import SentenceModel, computes_bfloat16, device

SCALE: Final = 20.0  # cosines → logits
_CONTRAST_TEMPERATURE: Final = 0.1
_MAX_TOKENS: Final = 64
_LARGE_VOCABULARY: Final = 50_000  # words; such a large embedding table is not trained
_LAST_PASS: Final = 10_000  # the epoch number of the last pass, as a seed
_POLISH: Final = 0.15  # of the learning rates, for the held-out examples at the end
_LORA: Final = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.05}
_LORA_PARTS: Final = ["query", "key", "value", "dense"]
_LORA_RATE: Final = 5.0  # the learning rate of adapters relative to that of weights


@dataclass
class FineTunedNetwork:
    """A copy of an encoder and its class vectors, in training."""

    encoder: TorchEncoder
    texts: Sequence[str]
    targets: NDArray[np.int64]
    classes: int
    recipe: TrainingRecipe
    seed: int = 0
    lora: bool = False
    model: SentenceModel = field(init=False)
    vectors: Any = field(init=False)  # of the classes: a parameter, shape (classes, dimension)

    def __post_init__(self) -> None:
        """Copy the encoder and create the class vectors."""
        import torch

        torch.manual_seed(self.seed)
        self.model = copy.deepcopy(self.encoder.model)
        if not (
            hasattr(self.model.backbone, "embeddings") and hasattr(self.model.backbone, "encoder")
        ):
            message = (
                "this base cannot be fine-tuned (its layers are not BERT's): use --method head"
            )
            raise CarelineError(message, "not_fine_tuned")
        if self.lora:
            self.model.backbone = _with_adapters(self.model.backbone)
        else:
            embeddings = self.model.backbone.embeddings
            words = self.model.backbone.get_input_embeddings().num_embeddings
            embeddings.requires_grad_(requires_grad=words < _LARGE_VOCABULARY)
        self.vectors = torch.nn.Parameter(
            torch.zeros(self.classes, self.model.dimension, device=device())
        )

    def start(self, vectors: Vectors) -> None:
        """Set each class to the mean of its examples' vectors, shape (n, dimension)."""
        import torch

        means = np.zeros((self.classes, vectors.shape[1]), dtype=np.float32)
        np.add.at(means, self.targets, vectors)
        means += 1e-6
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        with torch.no_grad():
            self.vectors.copy_(torch.from_numpy(means))

    def keep(self, vectors: Vectors) -> None:
        """Set the first classes to their previous vectors, shape (known classes, dimension)."""
        import torch

        with torch.no_grad():
            self.vectors[: len(vectors)] = torch.from_numpy(vectors)

    def parameters(self) -> dict[str, Any]:
        """Return the trainable parameters by name."""
        parameters = self.model.backbone.named_parameters()
        trainable = {name: parameter for name, parameter in parameters if parameter.requires_grad}
        return {**trainable, "classes": self.vectors}

    def head(self) -> LinearHead:
        """Return the class vectors as a linear head."""
        from torch.nn import functional

        unit = functional.normalize(self.vectors.detach().float(), dim=1).cpu().numpy()
        return LinearHead(np.float32(SCALE) * unit, np.zeros(self.classes, dtype=np.float32))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of texts, with the base's prefix added."""
        self.model.backbone.eval()
        prefix = self.encoder.base.query_prefix
        return torch_models.encode(self.model, [prefix + text for text in texts])

    def save(self, folder: Path) -> None:
        """Write the encoder, with adapters merged into its weights."""
        if self.lora:
            self.model.backbone = self.model.backbone.merge_and_unload()
        self.model.backbone.eval()
        self.model.save(folder)

    def loss(self, rows: Sequence[int], rng: np.random.Generator) -> Any:
        """Return the loss of one batch."""
        import torch
        from torch.nn import functional

        rough = rng.random(len(rows)) < self.recipe.typos
        texts = [self.texts[i] for i in rows]
        texts = [typos.add_noise(t, rng) if r else t for t, r in zip(texts, rough, strict=True)]
        prefixed = [self.encoder.base.query_prefix + text for text in texts]
        with torch.autocast(device(), dtype=torch.bfloat16, enabled=computes_bfloat16()):
            embedded = self.model.embed(prefixed, max_tokens=_MAX_TOKENS)
        embedded = embedded.float()
        truth = torch.from_numpy(self.targets[list(rows)]).to(device())
        logits = SCALE * embedded @ functional.normalize(self.vectors, dim=1).T
        loss = functional.cross_entropy(logits, truth, label_smoothing=self.recipe.smoothing)
        return loss + self.recipe.contrast * _contrastive(embedded, truth)


def _contrastive(embedded: Any, truth: Any) -> Any:
    """Return the supervised contrastive loss of unit vectors, 0 if no class has two examples."""
    import torch

    own = torch.eye(len(truth), dtype=torch.bool, device=truth.device)
    alike = (truth[:, None] == truth[None]) & ~own
    paired = alike.any(dim=1)
    if not paired.any():
        return embedded.sum() * 0.0
    likeness = (embedded @ embedded.T / _CONTRAST_TEMPERATURE).masked_fill(own, -1e9)
    log_share = likeness - likeness.logsumexp(dim=1, keepdim=True)
    mean = (log_share * alike).sum(dim=1)[paired] / alike.sum(dim=1)[paired]
    return -mean.mean()


def _with_adapters(backbone: Any) -> Any:
    try:
        from peft import LoraConfig, LoraModel
    except ImportError as error:
        message = "LoRA needs peft: pip install 'careline[train]'"
        raise CarelineError(message) from error
    backbone.requires_grad_(requires_grad=False)
    return LoraModel(backbone, LoraConfig(target_modules=_LORA_PARTS, **_LORA), "default")


def train(
    network: FineTunedNetwork,
    held: tuple[Sequence[str], NDArray[np.int64]],
    checkpoints: Checkpoints | None,
    curves: TrainingCurves,
) -> float:
    """Train until the last epoch or until validation stops improving; keep the best average.

    Return its validation accuracy. A run that was killed continues from its last checkpoint.
    """
    recipe, texts = network.recipe, network.texts
    per_epoch = math.ceil(len(texts) / recipe.batch)
    epochs = recipe.epochs or 1
    run = _Run(network, checkpoints, steps=epochs * per_epoch)
    at = run.resume()
    with curves.bar("fine-tuning", run.steps, at) as advance:
        # A run that stopped at the very end of an epoch has not been validated there yet.
        for epoch in range(max(at - 1, 0) // per_epoch, epochs):
            batches = list(_batches(network, np.random.default_rng((network.seed, epoch))))
            for number in range(run.step - epoch * per_epoch, per_epoch):
                loss = run.learn(batches[number])
                advance(f"epoch {epoch + 1}/{epochs}")
                curves.step(run.step, loss=loss, rate=run.factor())
                if checkpoints:
                    checkpoints.maybe_save(run.state)
            accuracy = run.validate(*held)
            curves.epoch(run.step, accuracy=accuracy)
            if run.is_stale():
                break
    return run.keep_best()


def polish(
    network: FineTunedNetwork,
    texts: Sequence[str],
    targets: NDArray[np.int64],
    curves: TrainingCurves,
    *,
    scale: float = _POLISH,
) -> None:
    """Train on examples in one more pass, at `scale` times the recipe's rates.

    It is for examples that were held out until now, or added later.
    """
    network.texts, network.targets = texts, targets
    steps = math.ceil(len(texts) / network.recipe.batch)
    run = _Run(network, None, steps=steps, scale=scale)
    with curves.bar("learning more examples", steps, 0) as advance:
        for rows in _batches(network, np.random.default_rng((network.seed, _LAST_PASS))):
            run.learn(rows)
            advance("last pass")
    run.use_average()


class _Run:
    """The state of the optimiser in one training: steps, averages, the best weights so far."""

    def __init__(
        self,
        network: FineTunedNetwork,
        checkpoints: Checkpoints | None,
        *,
        steps: int,
        scale: float = 1.0,
    ) -> None:
        import torch

        self.network = network
        self.steps = steps
        self.step = 0
        self.parameters = network.parameters()
        self._checkpoints = checkpoints
        self._optimiser = torch.optim.AdamW(_groups(network, scale), weight_decay=0.01)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: network.recipe.rate(step, steps)
        )
        self._average = self._copy()
        self._best: tuple[float, dict[str, Any]] = (-1.0, self._copy())
        self._waited = 0
        self._rng = np.random.default_rng((network.seed, 1))

    def _copy(self) -> dict[str, Any]:
        return {name: p.detach().clone() for name, p in self.parameters.items()}

    def factor(self) -> float:
        return float(self._schedule.get_last_lr()[0])

    def learn(self, rows: Sequence[int]) -> float:
        """Take one step; return its loss."""
        import torch

        self.network.model.backbone.train()
        loss = self.network.loss(rows, self._rng)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), 1.0)
        self._optimiser.step()
        self._schedule.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.step += 1
        decay = min(self.network.recipe.average, self.step / (self.step + 9))
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                self._average[name].lerp_(parameter, 1.0 - decay)
        return float(loss.detach())

    def validate(self, texts: Sequence[str], targets: NDArray[np.int64]) -> float:
        """Return the averaged weights' accuracy, and store them if it is the best so far."""
        current = self._copy()
        self.use_average()
        predicted = self.network.head().logits(self.network.encode(texts)).argmax(axis=1)
        accuracy = float((predicted == targets).mean())
        if accuracy >= self._best[0]:
            self._best, self._waited = (accuracy, self._copy()), 0
        else:
            self._waited += 1
        self._restore(current)
        return accuracy

    def is_stale(self) -> bool:
        return self._waited >= self.network.recipe.patience

    def keep_best(self) -> float:
        self._restore(self._best[1])
        return self._best[0]

    def use_average(self) -> None:
        self._restore(self._average)

    def _restore(self, values: dict[str, Any]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(values[name])

    def state(self) -> dict[str, Any]:
        """Return everything that is needed to continue the run."""
        import torch

        return {
            "step": self.step,
            "weights": self._copy(),
            "average": self._average,
            "best": self._best,
            "waited": self._waited,
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "rng": self._rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }

    def resume(self) -> int:
        """Continue a killed run from its checkpoint; return the number of completed steps."""
        import torch

        state = self._checkpoints.load() if self._checkpoints else None
        if state is not None:
            self.step, self._waited = state["step"], state["waited"]
            self._average, self._best = state["average"], state["best"]
            self._restore(state["weights"])
            self._optimiser.load_state_dict(state["optimiser"])
            self._schedule.load_state_dict(state["schedule"])
            self._rng.bit_generator.state = state["rng"]
            torch.set_rng_state(state["torch_rng"].cpu())
        return self.step


def _groups(network: FineTunedNetwork, scale: float) -> list[dict[str, Any]]:
    """Return parameter groups: the class vectors learn fast, each lower layer more slowly."""
    recipe = network.recipe
    rate = recipe.encoder_rate * scale * (_LORA_RATE if network.lora else 1.0)
    groups = [{"params": [network.vectors], "lr": recipe.head_rate * scale, "weight_decay": 0.0}]
    backbone = network.model.backbone
    layers = list(backbone.encoder.layer)
    for depth, part in enumerate([*reversed(layers), backbone.embeddings]):
        parameters = [p for p in part.parameters() if p.requires_grad]
        if parameters:
            groups.append({"params": parameters, "lr": rate * recipe.layer_decay**depth})
    return groups


def _batches(network: FineTunedNetwork, rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield batches of pairs of one class with similar lengths, to reduce padding.

    The contrastive loss needs two examples of a class.
    """
    single: dict[int, int] = {}
    pairs: list[list[int]] = []
    for row in map(int, rng.permutation(len(network.texts))):
        label = int(network.targets[row])
        if label in single:
            pairs.append([single.pop(label), row])
        else:
            single[label] = row
    rest = list(single.values())
    pairs += [rest[at : at + 2] for at in range(0, len(rest), 2)]
    shuffled = [pairs[i] for i in rng.permutation(len(pairs))]
    size = network.recipe.batch // 2
    batches = []
    for at in range(0, len(shuffled), 16 * size):
        pool = sorted(
            shuffled[at : at + 16 * size], key=lambda p: max(len(network.texts[i]) for i in p)
        )
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    for i in rng.permutation(len(batches)):
        yield [row for pair in batches[i] for row in pair]
