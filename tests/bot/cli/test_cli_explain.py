"""`careline explain`, as a shell runs it."""

import pytest

from bot.container import Home
from tests.shell import careline, json_of


def test_it_says_the_intent_its_words_and_its_neighbours(trained: Home) -> None:
    done = careline("explain", "where is my parcel", "--home", str(trained.path))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("order_status ")
    assert lines[1].startswith("strangeness ")
    words = next(line for line in lines if line.startswith("words: "))
    assert [word for word in ("where", "is", "my", "parcel") if f" {word} " not in words] == []
    assert len([line for line in lines if line.startswith("  ")]) == 5


def test_as_json_it_is_one_value(trained: Home) -> None:
    version = trained.models.current_id()
    found = json_of(
        *("explain", "我的包裹到哪里了？", "--version", str(version), "--home", str(trained.path))
    )
    assert found["intent"] == "order_status"
    assert found["tokens"]
    assert all(near["source"] and near["intent"] for near in found["neighbours"])


@pytest.mark.parametrize(
    ("words", "said"),
    [(("",), "empty"), ((" \n",), "empty"), (("hello", "--version", "m-none"), "m-none")],
)
def test_what_cannot_be_explained_is_one_clear_line(
    trained: Home, words: tuple[str, ...], said: str
) -> None:
    done = careline("explain", *words, "--home", str(trained.path))
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_without_a_model_it_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    done = careline("explain", "hello", "--home", str(tmp_path_factory.mktemp("bare")))
    assert (done.returncode, done.stdout) == (1, "")
    assert "careline train" in done.stderr
