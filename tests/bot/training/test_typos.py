import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.training.typos import add_noise, misspell


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_without_a_chance_nothing_is_misspelt() -> None:
    text = "where is my replacement parcel"
    assert misspell(text, 0.0, rng()) == text


def test_short_words_numbers_and_other_scripts_stay_as_they_are() -> None:
    text = "hi my 订单 A10234567 是我的包裹吗 is late"
    assert all(misspell(text, 1.0, rng(seed)) == text for seed in range(20))


def test_each_long_word_gets_one_typo_of_one_of_four_kinds() -> None:
    made = {misspell("parcel", 1.0, rng(seed)) for seed in range(300)}
    lengths = {len(word) for word in made}
    assert lengths == {5, 6, 7}
    assert {"prcel", "parrcel", "aprcel"} <= made  # left out, doubled, swapped
    assert {"oarcel", "larcel"} & made  # a neighbour of p
    assert "parcel" not in made


def test_the_chance_is_the_share_of_words() -> None:
    words = misspell(" ".join(["parcel"] * 2000), 0.3, rng()).split(" ")
    assert sum(word != "parcel" for word in words) / 2000 == pytest.approx(0.3, abs=0.05)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.integers(0, 2**32))
def test_any_text_can_be_roughened_and_the_seed_decides(text: str, seed: int) -> None:
    rough = add_noise(text, rng(seed))
    assert rough == add_noise(text, rng(seed))
    assert abs(len(rough) - len(text.rstrip(".?!"))) <= len(text)
    words = misspell(text, 1.0, rng(seed)).split(" ")
    assert len(words) == len(text.split(" "))


def test_a_hurried_person_leaves_out_capitals_stops_and_spaces() -> None:
    text = "Why is it? My cat ate a hat."
    made = [add_noise(text, rng(seed)) for seed in range(200)]
    low = [rough for rough in made if rough == "why is it? my cat ate a hat"]
    joined = [rough for rough in made if rough.count(" ") == text.count(" ") - 1]
    same = [rough for rough in made if rough == text]
    assert 0.15 < len(low) / 200 < 0.35
    assert 0.04 < len(joined) / 200 < 0.18
    assert len(low) + len(joined) + len(same) == 200
