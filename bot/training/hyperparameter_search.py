"""Searching for a better recipe on a home's own data, with optuna; it goes on where it stopped."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.core.types import OUT_OF_SCOPE, CarelineError
from bot.training import fine_tuning, folds, linear
from bot.training.checkpoints import Checkpoints
from bot.training.curves import TrainingCurves
from bot.training.fine_tuned_models import LabelledTexts
from bot.training.fine_tuning import FineTunedNetwork
from bot.training.job import TrainingJob, targets_of
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import TorchEncoder

_FOLDS: Final = 4  # of `head`: the fewer, the faster


@dataclass(frozen=True)
class SearchOutcome:
    """The best recipe found, its validation accuracy, and that of the recipe it started from."""

    recipe: TrainingRecipe
    accuracy: float
    baseline: float
    trials: int


def tune(
    job: TrainingJob, storage: Path, *, trials: int, seconds: float | None = None
) -> SearchOutcome:
    """Try recipes until there were `trials` in all, or the time is over; keep what was found.

    The search reads `job.examples` alone: each trial is judged on parts it has not learnt. What
    was tried is kept in `storage`, a SQLite file, so that a search that was stopped goes on.
    """
    optuna = _optuna()
    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=_name(job),
        storage=f"sqlite:///{storage}",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=1),
    )
    # A search that goes on draws other numbers than those it began with.
    study.sampler = optuna.samplers.TPESampler(seed=job.seed + len(study.trials))
    if not study.trials:
        study.enqueue_trial(_parameters(job.recipe, job.method))
    left = trials - sum(trial.state.is_finished() for trial in study.trials)
    objective = _of_head(job) if job.method == "head" else _of_network(job)
    if left > 0:
        with _bar(left, shown=job.progress) as advance:
            study.optimize(
                lambda trial: objective(_suggested(trial, job), trial),
                n_trials=left,
                timeout=seconds,
                callbacks=[lambda *_: advance()],
            )
    done = [trial for trial in study.trials if trial.value is not None]
    if not done:
        message = "no recipe was tried to its end: give it more time"
        raise CarelineError(message)
    best = replace(job.recipe, **study.best_params)
    return SearchOutcome(best, float(study.best_value), float(done[0].value), len(done))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        message = "tuning needs optuna: pip install 'careline[train]'"
        raise CarelineError(message) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _name(job: TrainingJob) -> str:
    """Return a name that differs where results cannot be compared."""
    facts = [job.encoder.id, job.method, [(e.input, e.intent) for e in job.examples]]
    return Checkpoints(Path(), facts).name


def _parameters(recipe: TrainingRecipe, method: str) -> dict[str, float]:
    """Return the numbers of a recipe that a method uses."""
    names = ("strength", "dense") if method == "head" else _NETWORK
    values = asdict(recipe) | {"dense": recipe.dense or linear.DENSE}
    return {name: value for name, value in values.items() if name in names}


_NETWORK: Final = (
    "encoder_rate", "head_rate", "layer_decay", "contrast", "smoothing", "typos",
)  # fmt: skip


def _suggested(trial: Any, job: TrainingJob) -> TrainingRecipe:
    if job.method == "head":
        return replace(
            job.recipe,
            strength=trial.suggest_float("strength", 0.05, 5.0, log=True),
            dense=trial.suggest_float("dense", 0.5, 6.0, log=True),
        )
    return replace(
        job.recipe,
        encoder_rate=trial.suggest_float("encoder_rate", 3e-5, 1e-3, log=True),
        head_rate=trial.suggest_float("head_rate", 2e-4, 1e-2, log=True),
        layer_decay=trial.suggest_float("layer_decay", 0.6, 1.0),
        contrast=trial.suggest_float("contrast", 0.0, 1.5),
        smoothing=trial.suggest_float("smoothing", 0.0, 0.2),
        typos=trial.suggest_float("typos", 0.0, 0.5),
    )


def _of_head(job: TrainingJob) -> Callable[[TrainingRecipe, Any], float]:
    texts, targets, labels = _taken_apart(job)
    vectors = job.encoder.queries(texts, progress=job.progress)
    parts = folds.assign(job.examples, _FOLDS, job.seed)
    inside = np.array([label != OUT_OF_SCOPE for label in labels])[targets]

    def objective(recipe: TrainingRecipe, _: Any) -> float:
        logits = linear.out_of_fold(vectors, texts, targets, len(labels), parts, recipe)
        return float((logits.argmax(axis=1) == targets)[inside].mean())

    return objective


def _of_network(job: TrainingJob) -> Callable[[TrainingRecipe, Any], float]:
    encoder = job.encoder
    if not isinstance(encoder, TorchEncoder):
        message = "fine-tuning needs the encoder in torch"
        raise TypeError(message)
    labels = sorted({example.intent for example in job.examples})
    parts = folds.assign(job.examples, _FOLDS, job.seed)
    pairs = list(zip(job.examples, parts, strict=True))
    seen = LabelledTexts.of([example for example, part in pairs if part], labels)
    held = LabelledTexts.of([example for example, part in pairs if not part], labels)
    start = encoder.queries(seen.texts, progress=job.progress)

    def objective(recipe: TrainingRecipe, trial: Any) -> float:
        settled = recipe.for_examples(len(seen.texts))
        network = FineTunedNetwork(
            encoder,
            seen.texts,
            seen.targets,
            len(labels),
            settled,
            seed=job.seed,
            lora=job.method == "lora",
        )
        network.start(start)
        curves = _Watched(trial, progress=False)
        return fine_tuning.train(network, (held.texts, held.targets), None, curves)

    return objective


def _taken_apart(job: TrainingJob) -> tuple[list[str], Any, Sequence[str]]:
    labels = sorted({example.intent for example in job.examples})
    return [e.input for e in job.examples], targets_of(job.examples, labels), labels


class _Watched(TrainingCurves):
    """Tells optuna how a trial goes and stops one that goes badly."""

    def __init__(self, trial: Any, *, progress: bool) -> None:
        super().__init__(progress=progress)
        self._trial = trial
        self._epochs = 0

    def epoch(self, step: int, **values: float) -> None:
        super().epoch(step, **values)
        self._trial.report(values["accuracy"], self._epochs)
        self._epochs += 1
        if self._trial.should_prune():
            raise _optuna().TrialPruned


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not shown, transient=True) as progress:
        task = progress.add_task("trying recipes", total=total)
        yield lambda: progress.advance(task)
