"""Export of a BERT sentence encoder to an int8 ONNX graph, several times faster on a CPU.

Weights are int8 with one scale per output channel, activations uint8 with one fixed scale per
layer, measured on real texts. With fixed scales, unlike those computed per batch, the vector of a
text does not depend on the other texts. Word embeddings are int8 with one scale per word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from knowledge_base.encoders.torch_models import MeanPoolingModel

Array = NDArray[np.float32]
Ranges = dict[str, Array]

_VECTOR: Final = "vector"
_CONTRIB: Final = "com.microsoft"
_OPSET: Final = 17
_IR: Final = 8
_LEVELS: Final = 255
_SMOOTHING: Final = 0.75  # share of the range moved to the weights; the best of 0.3 to 0.8
_BATCH: Final = 16


def measure_ranges(
    model: "MeanPoolingModel", texts: Sequence[str], *, max_tokens: int = 128
) -> Ranges:
    """Return the minimum and maximum of each input channel of each linear layer.

    Shape (2, width of the layer's input), measured while the model reads `texts`.
    """
    import torch

    measured: Ranges = {}

    def recorder(name: str) -> Any:
        def record(_: Any, inputs: tuple[Any, ...]) -> None:
            values = inputs[0].detach().float().flatten(0, -2)
            low, high = values.amin(dim=0).cpu().numpy(), values.amax(dim=0).cpu().numpy()
            before = measured.get(name, np.stack([low, high]))
            measured[name] = np.stack([np.minimum(before[0], low), np.maximum(before[1], high)])

        return record

    linear = [(n, m) for n, m in model.backbone.named_modules() if isinstance(m, torch.nn.Linear)]
    handles = [module.register_forward_pre_hook(recorder(name)) for name, module in linear]
    try:
        with torch.no_grad():
            for at in range(0, len(texts), _BATCH):
                model.embed(texts[at : at + _BATCH], max_tokens=max_tokens)
    finally:
        for handle in handles:
            handle.remove()
    return measured


def export(model: "MeanPoolingModel", measured: Ranges, path: Path) -> None:
    """Write the int8 graph of a model whose activation ranges were measured.

    Inputs are `ids` and `mask`, int64, shape (n, length); the output is `vector`, the unit mean of
    the last states of real tokens, float32, shape (n, width).
    """
    import onnx
    from onnx import TensorProto, helper

    config = model.backbone.config
    weights = {
        name: t.detach().float().cpu().numpy() for name, t in model.backbone.state_dict().items()
    }
    graph = _Graph(
        weights, measured, float(config["layer_norm_eps"]), config["num_attention_heads"]
    )
    states = graph.embeddings()
    for number in range(config["num_hidden_layers"]):
        states = graph.layer(f"encoder.layer.{number}", states)
    graph.mean_pooling(states, _VECTOR)
    shape, width = ["n", "length"], config["hidden_size"]
    proto = helper.make_graph(
        graph.nodes,
        "sentence-encoder",
        [helper.make_tensor_value_info(n, TensorProto.INT64, shape) for n in ("ids", "mask")],
        [helper.make_tensor_value_info(_VECTOR, TensorProto.FLOAT, ["n", width])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
    onnx.save(helper.make_model(proto, opset_imports=opsets, ir_version=_IR), str(path))


@dataclass
class _Graph:
    """Nodes and constants of a graph under construction; methods return names of values."""

    weights: dict[str, Array]
    ranges: Ranges
    epsilon: float
    heads: int
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if all(name != constant.name for constant in self.constants):
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(
        self, kind: str, inputs: Sequence[str], name: str, *, domain: str = "", **more: Any
    ) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, list(inputs), [name], domain=domain, **more))
        return name

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, dtype=np.int64))

    def embeddings(self) -> str:
        """Return the states before the first layer; each word's int8 row has its own scale."""
        table = self.weights["embeddings.word_embeddings.weight"]
        scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-9) / 127
        rows = self.constant("words", np.round(table / scales).astype(np.int8))
        by_row = self.constant("word-scales", scales.astype(np.float32))
        quantised_rows = self.node("Gather", [rows, "ids"], "word-rows")
        floats = self.node("Cast", [quantised_rows], "word-floats", to=1)
        scale = self.node("Gather", [by_row, "ids"], "word-row-scales")
        words = self.node("Mul", [floats, scale], "word-vectors")
        places = self.weights["embeddings.position_embeddings.weight"]
        kinds = self.weights["embeddings.token_type_embeddings.weight"][0]
        positions = self.constant("positions", (places + kinds).astype(np.float32))
        length = self.node(
            "Gather", [self.node("Shape", ["ids"], "shape"), self.integers("one", 1)], "length"
        )
        used = self.node("Slice", [positions, self.integers("zero", 0), length], "positions-used")
        summed = self.node("Add", [words, used], "embedded")
        self.node("Cast", ["mask"], "mask-int", to=6)
        return self.layer_norm("embeddings.LayerNorm", summed, None)

    def layer(self, name: str, states: str) -> str:
        """Return the states after one transformer layer."""
        at = f"{name}.attention"
        parts = [f"{at}.self.{part}" for part in ("query", "key", "value")]
        mixed = self.linear(f"{at}.self.qkv", parts, states)
        split = [f"{part}.out" for part in parts]
        from onnx import helper

        self.nodes.append(helper.make_node("Split", [mixed], split, axis=2))
        context = self.node(
            "MultiHeadAttention",
            [*split, "", "mask-int"],
            f"{at}.context",
            domain=_CONTRIB,
            num_heads=self.heads,
        )
        dense = self.linear(f"{at}.output.dense", [f"{at}.output.dense"], context)
        attended = self.layer_norm(f"{at}.output.LayerNorm", dense, states)
        wide = self.linear(f"{name}.intermediate.dense", [f"{name}.intermediate.dense"], attended)
        active = self.node("Gelu", [wide], f"{name}.gelu", domain=_CONTRIB)
        narrow = self.linear(f"{name}.output.dense", [f"{name}.output.dense"], active)
        return self.layer_norm(f"{name}.output.LayerNorm", narrow, attended)

    def linear(self, name: str, sources: Sequence[str], states: str) -> str:
        """Return states · Wᵀ + b in int8; layers with the same input are computed as one."""
        matrix = np.concatenate([self.weights[f"{s}.weight"] for s in sources]).T  # (in, out)
        bias = np.concatenate([self.weights[f"{s}.bias"] for s in sources])
        measured = self.ranges[sources[0]]
        smooth = _smoothing(measured, matrix)
        matrix = matrix * smooth[:, None]
        scales = np.maximum(np.abs(matrix).max(axis=0), 1e-9) / 127
        low, high = (
            min(float((measured[0] / smooth).min()), 0.0),
            float((measured[1] / smooth).max()),
        )
        step = max(high - low, 1e-9) / _LEVELS
        zero = np.array(np.clip(round(-low / step), 0, _LEVELS), dtype=np.uint8)
        scale = self.constant(f"{name}.in-scale", np.array(step, dtype=np.float32))
        offset = self.constant(f"{name}.in-zero", zero)
        factors = self.constant(f"{name}.smooth", (1.0 / smooth).astype(np.float32))
        even = self.node("Mul", [states, factors], f"{name}.even")
        quantised = self.node("QuantizeLinear", [even, scale, offset], f"{name}.in")
        inputs = [
            quantised,
            self.constant(f"{name}.int8", np.round(matrix / scales).astype(np.int8)),
            scale,
            self.constant(f"{name}.scales", scales.astype(np.float32)),
            offset,
            "",
            self.constant(f"{name}.bias", bias.astype(np.float32)),
        ]
        return self.node("MatMulIntegerToFloat", inputs, f"{name}.out", domain=_CONTRIB)

    def layer_norm(self, name: str, states: str, before: str | None) -> str:
        """Return the layer norm of states, plus `before` if there is one."""
        gain = self.constant(f"{name}.gain", self.weights[f"{name}.weight"])
        shift = self.constant(f"{name}.shift", self.weights[f"{name}.bias"])
        if before is None:
            return self.node(
                "LayerNormalization", [states, gain, shift], name, epsilon=self.epsilon
            )
        return self.node(
            "SkipLayerNormalization",
            [states, before, gain, shift],
            name,
            domain=_CONTRIB,
            epsilon=self.epsilon,
        )

    def mean_pooling(self, states: str, name: str) -> str:
        """Return the unit mean of the states of real tokens."""
        mask = self.node("Cast", ["mask"], f"{name}.mask", to=1)
        wide = self.node("Unsqueeze", [mask, self.integers("last", 2)], f"{name}.wide")
        masked = self.node("Mul", [states, wide], f"{name}.kept")
        summed = self.node(
            "ReduceSum", [masked, self.integers("middle", 1)], f"{name}.sum", keepdims=0
        )
        return self.node("LpNormalization", [summed], name, axis=1, p=2)


def _smoothing(measured: Array, matrix: Array) -> Array:
    """Return the divisor of each input channel; the weights are multiplied by the same.

    A few channels are far larger than the rest and would take most of the 8 bits; smoothing moves
    a part of their range to the weights (SmoothQuant, Xiao et al., 2023).
    """
    reach = np.maximum(np.abs(measured).max(axis=0), 1e-5) ** _SMOOTHING
    weight = np.maximum(np.abs(matrix).max(axis=1), 1e-5) ** (1.0 - _SMOOTHING)
    return np.asarray(reach / weight, dtype=np.float32)
