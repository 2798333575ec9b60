from pathlib import Path

import numpy as np
import pytest

from knowledge_base.encoders import base_models, onnx_export
from knowledge_base.encoders.base_models import TorchEncoder
from knowledge_base.encoders.torch_models import MeanPoolingModel

SHORT = ["query: where is my parcel?", "query: 退货"]
MORE = ["query: the tent leaks, I want my money back at once!", "passage: 配送需要三到五天。"]


@pytest.fixture(scope="module")
def model(tiny_encoder: Path) -> MeanPoolingModel:
    loaded = TorchEncoder(base_models.resolve(str(tiny_encoder), tiny_encoder.parent)).model
    assert isinstance(loaded, MeanPoolingModel)
    return loaded


def test_the_range_of_every_channel_is_measured(model: MeanPoolingModel) -> None:
    found = onnx_export.measure_ranges(model, SHORT)
    layers = int(model.backbone.config["num_hidden_layers"])
    assert len(found) == 6 * layers  # query, key, value, output, and two of the feed-forward part
    assert all(low_high.shape[0] == 2 for low_high in found.values())
    assert all((low_high[0] <= low_high[1]).all() for low_high in found.values())


def test_more_texts_only_widen_the_ranges(model: MeanPoolingModel) -> None:
    few, many = (
        onnx_export.measure_ranges(model, SHORT),
        onnx_export.measure_ranges(model, [*SHORT, *MORE]),
    )
    tolerance = 1e-4  # another batch rounds in another way
    for name, (low, high) in few.items():
        assert (many[name][0] <= low + tolerance).all()
        assert (many[name][1] >= high - tolerance).all()
    assert any((many[name][1] > few[name][1] + 0.1).any() for name in few)


def test_measuring_leaves_nothing_behind_in_the_model(model: MeanPoolingModel) -> None:
    before = model.embed(SHORT).detach().numpy()
    onnx_export.measure_ranges(model, SHORT)
    assert all(not module._forward_pre_hooks for module in model.backbone.modules())
    with pytest.raises(TypeError):
        onnx_export.measure_ranges(model, [1])  # type: ignore[list-item]
    assert all(not module._forward_pre_hooks for module in model.backbone.modules())
    assert np.array_equal(before, model.embed(SHORT).detach().numpy())


def test_the_graph_is_about_a_quarter_of_the_float_weights(
    model: MeanPoolingModel, tmp_path: Path
) -> None:
    path = tmp_path / "graph.onnx"
    onnx_export.export(model, onnx_export.measure_ranges(model, [*SHORT, *MORE]), path)
    floats = sum(4 * tensor.numel() for tensor in model.backbone.state_dict().values())
    assert 0.2 < path.stat().st_size / floats < 0.35


def test_smoothing_shares_a_large_channel_between_activations_and_weights() -> None:
    measured = np.array([[-100.0, -1.0], [80.0, 1.0]], dtype=np.float32)
    matrix = np.ones((2, 3), dtype=np.float32)
    smooth = onnx_export._smoothing(measured, matrix)
    reach = np.abs(measured).max(axis=0) / smooth
    assert reach[0] / reach[1] == pytest.approx(100**0.25)
    weights = (matrix * smooth[:, None]).max(axis=1)
    assert weights[0] / weights[1] == pytest.approx(100**0.75)
