"""BERT (Devlin et al., 2019) in plain torch, as used by most sentence encoders.

Parameters have the same names as in transformers, so weights are read and written unchanged.
transformers' own class loads the same folders, but its import takes longer than a server needs to
start; the tests compare the two.
"""

import json
from pathlib import Path
from typing import Any, Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

_IGNORED: Final = ("pooler.", "embeddings.position_ids", "cls.")
_WEIGHTS: Final = "model.safetensors"


def can_load(folder: Path) -> bool:
    """Return whether a folder contains the weights of a plain BERT."""
    path = folder / "config.json"
    if not (path.exists() and (folder / _WEIGHTS).exists()):
        return False
    config = json.loads(path.read_text(encoding="utf-8"))
    plain = config.get("position_embedding_type", "absolute") == "absolute"
    return bool(config.get("model_type") == "bert" and config.get("hidden_act") == "gelu" and plain)


def _table(rows: int, width: int) -> nn.Embedding:
    """Return an embedding without initialising weights that are overwritten anyway."""
    return nn.Embedding(rows, width, _weight=torch.empty(rows, width))


class _Embeddings(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.word_embeddings = _table(config["vocab_size"], width)
        self.position_embeddings = _table(config["max_position_embeddings"], width)
        self.token_type_embeddings = _table(config["type_vocab_size"], width)
        self.LayerNorm = nn.LayerNorm(width, eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, ids: Tensor) -> Tensor:
        positions = torch.arange(ids.shape[1], device=ids.device)
        summed = self.word_embeddings(ids) + self.position_embeddings(positions)
        summed = summed + self.token_type_embeddings.weight[0]
        out: Tensor = self.dropout(self.LayerNorm(summed))
        return out


class _SelfAttention(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.rate = config["attention_probs_dropout_prob"]

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        count, length, width = states.shape
        shape = (count, length, self.heads, width // self.heads)
        query, key, value = (
            part(states).view(shape).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        rate = self.rate if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=rate
        )
        return mixed.transpose(1, 2).reshape(count, length, width)


class _Output(nn.Module):
    """A dense layer with a residual connection and layer normalisation."""

    def __init__(self, config: dict[str, Any], width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, config["hidden_size"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, states: Tensor, before: Tensor) -> Tensor:
        out: Tensor = self.LayerNorm(self.dropout(self.dense(states)) + before)
        return out


class _Attention(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.self = _SelfAttention(config)
        self.output = _Output(config, config["hidden_size"])

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        out: Tensor = self.output(self.self(states, mask), states)
        return out


class _Intermediate(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["intermediate_size"])

    def forward(self, states: Tensor) -> Tensor:
        return functional.gelu(self.dense(states))


class _Layer(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.attention = _Attention(config)
        self.intermediate = _Intermediate(config)
        self.output = _Output(config, config["intermediate_size"])

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        attended = self.attention(states, mask)
        out: Tensor = self.output(self.intermediate(attended), attended)
        return out


class _Layers(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(config) for _ in range(config["num_hidden_layers"]))


class BertEncoder(nn.Module):
    """A BERT that maps token ids to token vectors."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Build the layers; their weights are loaded from a folder."""
        super().__init__()
        self.config = config
        self.embeddings = _Embeddings(config)
        self.encoder = _Layers(config)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read weights and configuration, in float32; raise ValueError if the two do not match."""
        from safetensors.torch import load_file

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = cls(config)
        stored = {
            name.removeprefix("bert."): tensor.float()
            for name, tensor in load_file(folder / _WEIGHTS).items()
        }
        used = {n: t for n, t in stored.items() if not n.startswith(_IGNORED)}
        try:
            model.load_state_dict(used, assign=True)
        except RuntimeError as error:
            message = f"the weights in {folder} do not fit its config.json"
            raise ValueError(message) from error
        return model.eval()

    def save(self, folder: Path) -> None:
        """Write the weights in half precision into a folder that already has a config.json."""
        from safetensors.torch import save_file

        state = {name: t.detach().half().cpu() for name, t in self.state_dict().items()}
        save_file(state, folder / _WEIGHTS, metadata={"format": "pt"})

    def get_input_embeddings(self) -> nn.Embedding:
        """Return the word embeddings."""
        return self.embeddings.word_embeddings

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return vectors, shape (n, length, width), of ids and a mask, shape (n, length)."""
        states: Tensor = self.embeddings(ids)
        visible = mask[:, None, None, :].bool()
        for layer in self.encoder.layer:
            states = layer(states, visible)
        return states
