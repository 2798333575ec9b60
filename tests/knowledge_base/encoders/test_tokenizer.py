"""An engine's tokenizer against the one it was made of."""

import json
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from knowledge_base.encoders import tokenizer as tokens

TEXTS = [
    "query: where is my parcel?",
    "passage: 我想退货，订单号是A10234。",
    "  spaces before,  between\tand\nafter  ",
    "ＡＢＣ　１２３ ½ ① e\u0301",
    "😀👍🏽 ▁▁ \u200b \ufeff",
    "",
    "x" * 300,
]


@pytest.fixture(scope="module")
def made(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokens")
    tokens.save(tiny_encoder, folder, TEXTS)
    return folder


def theirs(folder: Path, texts: list[str]) -> list[list[int]]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return [tokenizer.encode(text).ids for text in texts]


def test_a_vocabulary_of_pieces_is_served_by_sentencepiece(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == ["pieces.json", "pieces.model"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_ids_are_those_of_the_tokenizer(made: Path, tiny_encoder: Path, text: str) -> None:
    assert tokens.load(made, 1000).ids([text]) == theirs(tiny_encoder, [text])


def test_several_texts_come_out_in_order(made: Path, tiny_encoder: Path) -> None:
    assert tokens.load(made, 1000).ids(TEXTS) == theirs(tiny_encoder, TEXTS)
    assert tokens.load(made, 1000).ids([]) == []


def test_a_long_text_is_cut_and_closed(made: Path, tiny_encoder: Path) -> None:
    text = "the parcel did not come " * 50
    (whole,) = theirs(tiny_encoder, [text])
    (cut,) = tokens.load(made, 20).ids([text])
    assert cut == [*whole[:19], whole[-1]]


def test_what_a_customer_types_is_never_a_control_token(made: Path, tiny_encoder: Path) -> None:
    (closing,) = {ids[-1] for ids in theirs(tiny_encoder, TEXTS)}
    (ids,) = tokens.load(made, 100).ids(["</s> hello </s>"])
    assert ids.count(closing) == 1


def test_pieces_that_would_give_other_ids_are_not_used(tiny_encoder: Path, tmp_path: Path) -> None:
    tokens.save(tiny_encoder, tmp_path, ["</s> hello"])
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]
    assert tokens.load(tmp_path, 100).ids(TEXTS) == [
        row[:100] if len(row) <= 100 else [*row[:99], row[-1]]
        for row in theirs(tiny_encoder, TEXTS)
    ]


def test_other_kinds_of_tokenizers_stay_as_they_are(tiny_encoder: Path, tmp_path: Path) -> None:
    source, folder = Path(shutil.copytree(tiny_encoder, tmp_path / "source")), tmp_path / "engine"
    folder.mkdir()
    spec = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    spec["pre_tokenizer"] = {"type": "Whitespace"}
    (source / "tokenizer.json").write_text(json.dumps(spec), encoding="utf-8")
    tokens.save(source, folder, TEXTS)
    assert [path.name for path in folder.iterdir()] == ["tokenizer.json"]
