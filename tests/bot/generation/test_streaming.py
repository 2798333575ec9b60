"""How a reply is streamed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.generation.streaming import pieces


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["退货免费。", "boots ", "\n", "  ", "iPhone", "，", "　"])).map(
        "".join
    )
)
def test_the_pieces_of_a_text_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_pieces_are_words_or_a_few_characters() -> None:
    assert list(pieces("Boots return free")) == ["Boots ", "return ", "free"]
    assert list(pieces("登山鞋可以退货")) == ["登山鞋可", "以退货"]
