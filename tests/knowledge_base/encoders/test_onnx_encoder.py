"""The int8 engine against the torch model it was made from."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge_base.documents import KnowledgeError
from knowledge_base.encoders import base_models, onnx_encoder, onnx_export
from knowledge_base.encoders.base_models import TorchEncoder
from knowledge_base.encoders.onnx_encoder import OnnxEncoder

ROOT = Path(__file__).parents[3]
TEXTS = [
    "where is my parcel? It should have come on Monday.",
    "我想退货，订单号是A10234",
    "how do I wash the down jacket",
    "你们几点关门？",
    "ok",
    "退款",
    "The tent leaked on the first night, and nobody answers my e-mails. What will you do about it?",
    "請問可以開統編發票嗎",
]
LONG = "the parcel did not come and " * 400


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> TorchEncoder:
    return TorchEncoder(base_models.resolve(str(tiny_encoder), tiny_encoder.parent))


@pytest.fixture(scope="module")
def made(encoder: TorchEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines") / "tiny"
    onnx_encoder.export(encoder, folder, TEXTS)
    return folder


@pytest.fixture(scope="module")
def engine(encoder: TorchEncoder, made: Path) -> OnnxEncoder:
    return OnnxEncoder(encoder.base, made)


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "engine"))


def test_the_engine_computes_what_torch_computes(
    encoder: TorchEncoder, engine: OnnxEncoder
) -> None:
    for ours, theirs in (
        (engine.queries(TEXTS), encoder.queries(TEXTS)),
        (engine.passages(TEXTS), encoder.passages(TEXTS)),
    ):
        assert ours.shape == theirs.shape == (len(TEXTS), engine.dimension)
        assert ours.dtype == np.float32
        assert np.sum(ours * theirs, axis=1).min() >= 0.98
        assert np.allclose(np.linalg.norm(ours, axis=1), 1.0, atol=1e-5)


def test_questions_and_passages_have_their_own_prefixes(engine: OnnxEncoder) -> None:
    assert engine.base.query_prefix != engine.base.passage_prefix
    assert np.abs(engine.queries(TEXTS) - engine.passages(TEXTS)).max() > 0.01


def test_vectors_of_two_engines_are_never_mixed(encoder: TorchEncoder, engine: OnnxEncoder) -> None:
    assert engine.id != encoder.id
    assert engine.id.startswith(encoder.id)
    assert (engine.engine, encoder.engine) == ("onnxruntime-int8", "torch")


words = st.sampled_from(["parcel", "退货", "where", "。", "A10234", "zelt", "!", "不"])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.lists(words, max_size=12).map(" ".join),
    others=st.lists(st.lists(words, max_size=40).map(" ".join), max_size=40),
)
def test_a_text_has_the_same_vector_alone_and_among_others(
    engine: OnnxEncoder, text: str, others: list[str]
) -> None:
    alone = engine.queries([text])[0]
    among = engine.queries([*others, text])[-1]
    assert np.abs(alone - among).max() <= 1e-5


def test_callers_from_many_threads_get_their_own_vectors(engine: OnnxEncoder) -> None:
    expected = engine.queries(TEXTS)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: engine.queries([TEXTS[n % len(TEXTS)]])[0], range(200)))
    for number, vector in enumerate(found):
        assert np.abs(vector - expected[number % len(TEXTS)]).max() <= 1e-5


def test_a_long_text_is_read_as_far_as_the_model_goes(
    encoder: TorchEncoder, engine: OnnxEncoder
) -> None:
    long, longer = engine.queries([LONG, LONG + "and something else"])
    assert np.abs(long - longer).max() <= 1e-5
    assert float(long @ encoder.queries([LONG])[0]) >= 0.97


def test_nothing_to_read_gives_no_vectors(engine: OnnxEncoder) -> None:
    assert engine.queries([]).shape == (0, engine.dimension)
    assert engine.passages([]).shape == (0, engine.dimension)


def test_an_empty_text_has_a_vector(encoder: TorchEncoder, engine: OnnxEncoder) -> None:
    assert float(engine.queries([""])[0] @ encoder.queries([""])[0]) >= 0.98


def test_a_folder_says_whether_its_engine_is_of_use(copied: Path, tmp_path: Path) -> None:
    assert not onnx_encoder.exists(tmp_path / "nowhere")
    assert not onnx_encoder.is_usable(tmp_path / "nowhere")
    assert onnx_encoder.exists(copied)
    assert onnx_encoder.is_usable(copied)
    onnx_encoder.mark_unusable(copied)
    assert onnx_encoder.exists(copied)
    assert not onnx_encoder.is_usable(copied)


def test_an_engine_that_lost_too_much_is_of_no_use(copied: Path) -> None:
    change(copied, closeness=0.9)
    assert not onnx_encoder.is_usable(copied)
    change(copied, closeness=float("nan"))
    assert not onnx_encoder.is_usable(copied)


@pytest.fixture
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure an engine on a few texts: tests of how it is written need no good one."""
    monkeypatch.setattr(onnx_encoder, "_corpus", lambda: TEXTS)


def change(folder: Path, **facts: Any) -> None:
    path = folder / "engine.json"
    old = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**old, **facts}), encoding="utf-8")


@pytest.mark.parametrize("sign", [-1.0, float("nan")])
def test_a_processor_that_computes_something_else_is_found_out(
    encoder: TorchEncoder, copied: Path, sign: float
) -> None:
    facts = json.loads((copied / "engine.json").read_text(encoding="utf-8"))
    text, vector = next(iter(facts["probes"].items()))
    change(copied, probes={**facts["probes"], text: [sign * value for value in vector]})
    with pytest.raises(KnowledgeError, match="CARELINE_ENGINE=torch"):
        OnnxEncoder(encoder.base, copied)


def test_serving_loads_neither_torch_nor_transformers(encoder: TorchEncoder, made: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from knowledge_base.encoders.base_models import BaseModel; "
        "from knowledge_base.encoders.onnx_encoder import OnnxEncoder; "
        "base, folder = BaseModel('tiny', sys.argv[1], 'query: '), Path(sys.argv[2]); "
        "assert OnnxEncoder(base, folder).queries(['hello', '你好']).shape[0] == 2; "
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'onnx') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, encoder.base.path, str(made)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "[]"


def test_an_encoder_of_another_shape_is_refused_quietly(tiny_encoder: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(tiny_encoder, tmp_path / "cls-encoder"))
    pooling = source / "1_Pooling" / "config.json"
    values = json.loads(pooling.read_text(encoding="utf-8"))
    values = {k: v for k, v in values.items() if not k.startswith("pooling_mode")}
    values |= {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    pooling.write_text(json.dumps(values), encoding="utf-8")
    other = TorchEncoder(base_models.resolve(str(source), tmp_path))
    folder = tmp_path / "engines" / "other"
    onnx_encoder.export(other, folder)
    assert onnx_encoder.exists(folder)
    assert not onnx_encoder.is_usable(folder)
    assert json.loads((folder / "engine.json").read_text(encoding="utf-8"))["closeness"] is None


def broken(*_: object) -> None:
    message = "the disk is full"
    raise OSError(message)


@pytest.mark.usefixtures("few_texts")
def test_an_export_that_fails_leaves_nothing(
    encoder: TorchEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "export", broken)
    with pytest.raises(OSError, match="disk is full"):
        onnx_encoder.export(encoder, tmp_path / "engines" / "tiny")
    assert list((tmp_path / "engines").iterdir()) == []


@pytest.mark.usefixtures("few_texts")
def test_an_export_that_fails_leaves_the_engine_that_was_there(
    encoder: TorchEncoder, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "export", broken)
    with pytest.raises(OSError, match="disk is full"):
        onnx_encoder.export(encoder, copied)
    assert onnx_encoder.is_usable(copied)
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]
    OnnxEncoder(encoder.base, copied)


@pytest.mark.usefixtures("few_texts")
def test_what_a_killed_export_left_is_in_nobodys_way(encoder: TorchEncoder, tmp_path: Path) -> None:
    """In a container the next process often has the same number as the one that was killed."""
    folder = tmp_path / "engines" / "tiny"
    (tmp_path / "engines" / f".tiny.{os.getpid()}").mkdir(parents=True)
    assert not onnx_encoder.exists(folder)
    onnx_encoder.export(encoder, folder)
    assert onnx_encoder.is_usable(folder)


@pytest.mark.usefixtures("few_texts")
def test_of_two_processes_that_export_at_once_the_first_wins(
    encoder: TorchEncoder, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tiny"
    remove = shutil.rmtree

    def slower(path: Path, **options: Any) -> None:
        remove(path, **options)
        if path == folder:  # the other process is done first
            shutil.copytree(made, folder)

    monkeypatch.setattr(shutil, "rmtree", slower)
    onnx_encoder.export(encoder, folder)
    assert onnx_encoder.is_usable(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
