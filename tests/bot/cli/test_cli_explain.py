"""`careline explain`, run in a shell."""

import pytest

from bot.container import Home
from tests.shell import careline, json_of


def test_it_prints_intent_words_and_similar_examples(trained: Home) -> None:
    done = careline("explain", "where is my parcel", "--home", str(trained.path))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("order_status ")
    assert lines[1].startswith("out-of-scope score ")
    words = next(line for line in lines if line.startswith("words: "))
    assert [word for word in ("where", "is", "my", "parcel") if f" {word} " not in words] == []
    assert len([line for line in lines if line.startswith("  ")]) == 5


def test_the_json_has_tokens_and_neighbours(trained: Home) -> None:
    version = trained.models.current_id()
    explanation = json_of(
        *("explain", "我的包裹到哪里了？", "--version", str(version), "--home", str(trained.path))
    )
    assert explanation["intent"] == "order_status"
    assert explanation["tokens"]
    assert all(
        neighbour["source"] and neighbour["intent"] for neighbour in explanation["neighbours"]
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("",), "empty"), ((" \n",), "empty"), (("hello", "--version", "m-none"), "m-none")],
)
def test_errors_are_one_line(trained: Home, arguments: tuple[str, ...], expected: str) -> None:
    done = careline("explain", *arguments, "--home", str(trained.path))
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_error_without_a_model_says_what_to_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    done = careline("explain", "hello", "--home", str(tmp_path_factory.mktemp("bare")))
    assert (done.returncode, done.stdout) == (1, "")
    assert "careline train" in done.stderr
