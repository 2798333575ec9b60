"""Search for a better recipe on a home's own data, with optuna; a stopped search continues."""

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
from bot.training.job import TrainingJob, class_numbers
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import TorchEncoder

_FOLDS: Final = 4  # for `head`; fewer are faster


@dataclass(frozen=True)
class SearchOutcome:
    """The best recipe, its validation accuracy, and that of the initial recipe."""

    recipe: TrainingRecipe
    accuracy: float
    baseline: float
    trials: int


def tune(
    job: TrainingJob, storage: Path, *, trials: int, seconds: float | None = None
) -> SearchOutcome:
    """Try recipes until there are `trials` in total, or the time is over; return the best one.

    The search uses only `job.examples`: each trial is evaluated on parts it was not trained on.
    Trials are stored in `storage`, a SQLite file, so that a stopped search continues.
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
    # A continued search must draw other numbers than before.
    study.sampler = optuna.samplers.TPESampler(seed=job.seed + len(study.trials))
    if not study.trials:
        study.enqueue_trial(_parameters(job.recipe, job.method))
    remaining = trials - sum(trial.state.is_finished() for trial in study.trials)
    objective = _head_objective(job) if job.method == "head" else _network_objective(job)
    if remaining > 0:
        with _bar(remaining, shown=job.progress) as advance:
            study.optimize(
                lambda trial: objective(_suggest(trial, job), trial),
                n_trials=remaining,
                timeout=seconds,
                callbacks=[lambda *_: advance()],
            )
    finished = [trial for trial in study.trials if trial.value is not None]
    if not finished:
        message = "no recipe was tried to its end: give it more time"
        raise CarelineError(message)
    best = replace(job.recipe, **study.best_params)
    return SearchOutcome(best, float(study.best_value), float(finished[0].value), len(finished))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        message = "tuning needs optuna: pip install 'careline[train]'"
        raise CarelineError(message) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _name(job: TrainingJob) -> str:
    """Return a name that differs if results cannot be compared."""
    facts = [job.encoder.id, job.method, [(e.input, e.intent) for e in job.examples]]
    return Checkpoints(Path(), facts).name


def _parameters(recipe: TrainingRecipe, method: str) -> dict[str, float]:
    """Return the parameters of a recipe that a method uses."""
    names = ("strength", "dense") if method == "head" else _NETWORK
    values = asdict(recipe) | {"dense": recipe.dense or linear.DENSE}
    return {name: value for name, value in values.items() if name in names}


_NETWORK: Final = (
    "encoder_rate", "head_rate", "layer_decay", "contrast", "smoothing", "typos",
)  # fmt: skip


def _suggest(trial: Any, job: TrainingJob) -> TrainingRecipe:
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


def _head_objective(job: TrainingJob) -> Callable[[TrainingRecipe, Any], float]:
    texts, targets, labels = _texts_and_targets(job)
    vectors = job.encoder.queries(texts, progress=job.progress)
    parts = folds.assign(job.examples, _FOLDS, job.seed)
    inside = np.array([label != OUT_OF_SCOPE for label in labels])[targets]

    def objective(recipe: TrainingRecipe, _: Any) -> float:
        logits = linear.out_of_fold(vectors, texts, targets, len(labels), parts, recipe)
        return float((logits.argmax(axis=1) == targets)[inside].mean())

    return objective


def _network_objective(job: TrainingJob) -> Callable[[TrainingRecipe, Any], float]:
    encoder = job.encoder
    if not isinstance(encoder, TorchEncoder):
        message = "fine-tuning needs the encoder in torch"
        raise TypeError(message)
    labels = sorted({example.intent for example in job.examples})
    parts = folds.assign(job.examples, _FOLDS, job.seed)
    pairs = list(zip(job.examples, parts, strict=True))
    train = LabelledTexts.from_examples([example for example, part in pairs if part], labels)
    held = LabelledTexts.from_examples([example for example, part in pairs if not part], labels)
    start = encoder.queries(train.texts, progress=job.progress)

    def objective(recipe: TrainingRecipe, trial: Any) -> float:
        trial_recipe = recipe.for_examples(len(train.texts))
        network = FineTunedNetwork(
            encoder,
            train.texts,
            train.targets,
            len(labels),
            trial_recipe,
            seed=job.seed,
            lora=job.method == "lora",
        )
        network.start(start)
        curves = _TrialCurves(trial, progress=False)
        return fine_tuning.train(network, (held.texts, held.targets), None, curves)

    return objective


def _texts_and_targets(job: TrainingJob) -> tuple[list[str], Any, Sequence[str]]:
    labels = sorted({example.intent for example in job.examples})
    return [e.input for e in job.examples], class_numbers(job.examples, labels), labels


class _TrialCurves(TrainingCurves):
    """Reports the values of a trial to optuna, and stops a bad one."""

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
