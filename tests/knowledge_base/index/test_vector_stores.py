from pathlib import Path

import numpy as np
import pytest

from knowledge_base.documents import KnowledgeError
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.vector_stores import Kind, make_selector

VECTORS = np.eye(40, dtype=np.float32)


@pytest.mark.parametrize("step", [1, 10**9])
def test_only_the_numbers_given_pass_a_selector(step: int) -> None:
    allowed = step * np.array([2, 5, 9], dtype=np.int64)
    selector = make_selector(np.append(allowed, -1))
    passed = [number for number in range(12) if selector.is_member(step * number)]
    assert passed == [2, 5, 9]


def test_a_selector_of_no_numbers_lets_nothing_through() -> None:
    selector = make_selector(np.zeros(0, dtype=np.int64))
    assert not any(selector.is_member(number) for number in range(64))


@pytest.mark.parametrize("kind", ["flat", "ivf"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.999])
def test_a_half_written_file_is_refused(tmp_path: Path, share: float, kind: Kind) -> None:
    DenseIndex.build(VECTORS, kind=kind).save(tmp_path / "dense")
    whole = (tmp_path / "dense").read_bytes()
    (tmp_path / "half").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(KnowledgeError, match="rebuild it"):
        DenseIndex.load(tmp_path / "half")


def test_what_is_no_index_of_ours_is_refused(tmp_path: Path) -> None:
    import faiss

    (tmp_path / "text").write_text("hello, hello, hello")
    faiss.write_index(faiss.IndexFlatL2(4), str(tmp_path / "other"))
    for name in ("text", "other", "absent"):
        with pytest.raises(KnowledgeError, match="rebuild it"):
            DenseIndex.load(tmp_path / name)
