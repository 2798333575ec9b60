import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base.documents import Document
from knowledge_base.sources import archives, loader
from knowledge_base.sources.document_builder import SourceFailure
from tests.knowledge_base.sources.files import word


class Zip:
    """An archive a test fills."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def add(self, name: str, content: str | bytes = "Text.", mode: int = 0o644) -> None:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = mode << 16
        self.archive.writestr(info, content)

    def load(self) -> tuple[dict[str, Document], dict[str, str]]:
        self.archive.close()
        return split(loader.load([self.path]))


def split(loaded: Iterator[Document | SourceFailure]) -> tuple[dict[str, Document], dict[str, str]]:
    found = list(loaded)
    return (
        {item.id: item for item in found if isinstance(item, Document)},
        {item.path: item.error for item in found if isinstance(item, SourceFailure)},
    )


@pytest.fixture
def packed(tmp_path: Path) -> Zip:
    return Zip(tmp_path / "kb.zip")


def test_every_file_is_read_and_named_by_its_path(packed: Zip) -> None:
    packed.add("en/returns.md", "# Returns\n\nFree.")
    packed.add("faq.csv", "question,answer\nHow?,So.\n")
    packed.add("word.docx", word("<w:p><w:r><w:t>Word.</w:t></w:r></w:p>"))
    packed.add("zh\\a.txt", "退货")
    packed.archive.mkdir("empty")
    packed.add("__MACOSX/en/._returns.md")
    packed.add(".git/config.md")
    documents, failed = packed.load()
    assert set(documents) == {"en/returns.md", "faq.csv#1", "word.docx", "zh/a.txt"}
    assert documents["en/returns.md"].title == "Returns"
    assert not failed


def test_dangerous_members_are_named_and_the_rest_is_read(packed: Zip) -> None:
    packed.add("../up.md")
    packed.add("/etc/root.md")
    packed.add("C:\\windows.md")
    packed.add("a/../../b.md")
    packed.add("link.md", "/etc/passwd", stat.S_IFLNK | 0o777)
    packed.add("inner.zip", b"PK")
    packed.add("tool.exe")
    packed.add("bomb.md", "x" * 30 * 2**20)
    packed.add("empty.md", "")
    packed.add("good.md")
    documents, failed = packed.load()
    assert set(documents) == {"good.md"}
    reasons = {
        "../up.md": "out of the archive", "/etc/root.md": "out of the archive",
        "C:/windows.md": "out of the archive", "a/../../b.md": "out of the archive",
        "link.md": "a link", "inner.zip": "inside an archive", "tool.exe": ".exe",
        "bomb.md": "far more than it should", "empty.md": "empty",
    }  # fmt: skip
    assert failed.keys() == {f"kb.zip/{name}" for name in reasons}
    for name, reason in reasons.items():
        assert reason in failed[f"kb.zip/{name}"], name


def test_a_member_with_a_password_is_named(packed: Zip) -> None:
    packed.add("locked.md")
    packed.add("good.md")
    packed.archive.close()
    raw = bytearray(packed.path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.index(mark) + place
        raw[at : at + 2] = struct.pack("<H", struct.unpack_from("<H", raw, at)[0] | 1)
    packed.path.write_bytes(raw)
    documents, failed = split(loader.load([packed.path]))
    assert set(documents) == {"good.md"}
    assert "password" in failed["kb.zip/locked.md"]


def test_an_unusual_packing_is_named(packed: Zip) -> None:
    packed.archive.writestr("odd.md", "Text.", zipfile.ZIP_LZMA)
    packed.add("good.md")
    documents, failed = packed.load()
    assert set(documents) == {"good.md"}
    assert "unusual way" in failed["kb.zip/odd.md"]


def test_a_damaged_member_is_named(packed: Zip) -> None:
    packed.add("bad.md", "Text that will be broken." * 9)
    packed.add("good.md")
    packed.archive.close()
    raw = bytearray(packed.path.read_bytes())
    raw[38:44] = b"\xff" * 6
    packed.path.write_bytes(raw)
    documents, failed = split(loader.load([packed.path]))
    assert set(documents) == {"good.md"}
    assert "cannot be unpacked" in failed["kb.zip/bad.md"]


def test_all_files_together_are_limited(packed: Zip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL", 2**20)
    for number in range(3):
        packed.add(f"{number}.txt", f"{number} words of a text. " * 20_000)
    packed.add("small.txt", "Small.")
    documents, failed = packed.load()
    assert set(documents) == {"0.txt", "1.txt", "small.txt"}
    assert "over 1 MiB" in failed["kb.zip/2.txt"]


def test_too_many_files_are_refused(packed: Zip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    for number in range(3):
        packed.add(f"{number}.md")
    assert "more than 2 files" in packed.load()[1]["kb.zip"]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("退货说明.md".encode("gb18030"), "退货说明.md"),
        ("退货说明.md".encode(), "退货说明.md"),
        ("r\u00fccksendung.md".encode("cp437"), "rücksendung.md"),
    ],
)
def test_names_of_other_encodings_are_understood(tmp_path: Path, raw: bytes, name: str) -> None:
    stand_in = b"x" * (len(raw) - 3) + b".md"
    packed = Zip(tmp_path / "kb.zip")
    packed.add(stand_in.decode())
    packed.archive.close()
    packed.path.write_bytes(packed.path.read_bytes().replace(stand_in, raw))
    documents, failed = split(loader.load([packed.path]))
    assert not failed
    assert set(documents) == {name}


def test_what_is_no_archive_says_so(tmp_path: Path) -> None:
    path = tmp_path / "kb.zip"
    path.write_bytes(b"not a zip")
    assert "no readable zip" in split(loader.load([path]))[1]["kb.zip"]


def test_large_members_are_not_unpacked(packed: Zip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "MAX_BYTES", 2**20)
    packed.add("a.txt", "".join(f"{n} " for n in range(300_000)))
    assert "larger than 1 MiB" in packed.load()[1]["kb.zip/a.txt"]


def test_an_archive_of_gzipped_files_is_read(packed: Zip, tmp_path: Path) -> None:
    import gzip

    packed.add("a.md.gz", gzip.compress(b"Packed twice."))
    packed.add("b.md.gz", b"broken")
    documents, failed = packed.load()
    assert documents["a.md.gz"].text == "Packed twice."
    assert "cannot be opened" in failed["kb.zip/b.md.gz"]
    whole = tmp_path / "whole.zip.gz"
    whole.write_bytes(gzip.compress(packed.path.read_bytes()))
    assert set(split(loader.load([whole]))[0]) == {"a.md.gz"}


def test_a_members_size_is_what_counts_not_what_it_claims(packed: Zip) -> None:
    """A header that claims less than there is yields no more than it claims."""
    packed.add("liar.txt", "word " * 100_000)
    packed.archive.close()
    raw = bytearray(packed.path.read_bytes())
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = struct.pack("<I", 10)
    packed.path.write_bytes(raw)
    documents, failed = split(loader.load([packed.path]))
    assert not documents
    assert "kb.zip/liar.txt" in failed


def test_archives_lie_in_folders_too(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.md", "Text.")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "kb.zip").write_bytes(packed.getvalue())
    assert set(split(loader.load([tmp_path]))[0]) == {"a.md"}
