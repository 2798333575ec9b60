"""A tiny real encoder: the packaged e5-small with a few layers and the pieces our texts use."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LAYERS = 3


def cut(source: Path, target: Path, texts: Iterable[str]) -> Path:
    """Write a model folder with the first layers of `source` and the pieces of `texts`."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    used = {number for row in tokenizer.encode_batch(list(texts)) for number in row.ids}
    spec: dict[str, Any] = json.loads(tokenizer.to_str())
    vocabulary = spec["model"]["vocab"]
    special = {token["id"] for token in spec["added_tokens"]}
    keep = [
        number
        for number, (piece, _) in enumerate(vocabulary)
        if number in used or number in special or number < 10 or len(piece.lstrip("▁")) == 1
    ]
    place = {old: new for new, old in enumerate(keep)}
    spec["model"]["vocab"] = [vocabulary[number] for number in keep]
    spec["model"]["unk_id"] = place[spec["model"]["unk_id"]]
    spec["added_tokens"] = [
        {**token, "id": place.get(token["id"], len(keep))} for token in spec["added_tokens"]
    ]
    for token in spec["post_processor"]["special_tokens"].values():
        token["ids"] = [place[number] for number in token["ids"]]
    model = AutoModel.from_pretrained(source, dtype=torch.float32, add_pooling_layer=False)
    model.encoder.layer = model.encoder.layer[:LAYERS]
    rows = [*keep, keep[0]]  # one more row for the mask token
    weights = model.embeddings.word_embeddings.weight.detach()[rows].clone()
    model.embeddings.word_embeddings = torch.nn.Embedding(
        weights.shape[0], weights.shape[1], _weight=weights
    )
    model.config.update({"num_hidden_layers": LAYERS, "vocab_size": len(rows)})
    model.config.pad_token_id = place[model.config.pad_token_id]
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.safetensors"))
    model.half().save_pretrained(target)
    (target / "tokenizer.json").write_text(json.dumps(spec), encoding="utf-8")
    return target
