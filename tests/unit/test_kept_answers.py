"""Small answers in memory: those asked for last, never more than there is room for."""

from __future__ import annotations

from random import Random

from backend.web.server.kept_answers import KeptAnswers

SIZE = 100


def keep(answers: KeptAnswers, tag: str, *pieces: bytes) -> None:
    copy = answers.begin(tag)
    for piece in pieces:
        copy.add(piece)
    copy.keep()


def test_an_answer_is_kept_as_it_was_sent() -> None:
    answers = KeptAnswers()
    keep(answers, "a", b"one", b"", b"two")
    assert (answers.of("a"), answers.of("b")) == (b"onetwo", None)


def test_an_empty_answer_is_an_answer() -> None:
    answers = KeptAnswers()
    keep(answers, "a")
    assert answers.of("a") == b""


def test_what_did_not_come_to_its_end_is_not_kept() -> None:
    answers = KeptAnswers()
    answers.begin("a").add(b"one")
    assert answers.of("a") is None


def test_a_large_answer_is_not_kept_and_makes_nothing_leave() -> None:
    answers = KeptAnswers(room=3 * SIZE, largest=SIZE)
    keep(answers, "a", b"x" * SIZE)
    keep(answers, "b", b"x" * SIZE, b"x")
    assert (answers.of("a"), answers.of("b")) == (b"x" * SIZE, None)


def test_the_answer_that_nobody_asked_for_the_longest_makes_room() -> None:
    answers = KeptAnswers(room=2 * SIZE, largest=SIZE)
    for tag in "ab":
        keep(answers, tag, tag.encode() * SIZE)
    assert answers.of("a")
    keep(answers, "c", b"c" * SIZE)
    assert [answers.of(tag) is not None for tag in "abc"] == [True, False, True]


def test_all_kept_answers_never_take_more_than_the_room() -> None:
    chance, answers = Random(1), KeptAnswers(room=1000, largest=300)
    sent: dict[str, bytes] = {}
    for number in range(2000):
        tag = str(chance.randrange(40))
        body = sent.setdefault(tag, bytes([number % 256]) * chance.randrange(400))
        assert answers.of(tag) in (None, body)
        keep(answers, tag, body[:100], body[100:])
        kept = [found for tag in sent if (found := answers.of(tag)) is not None]
        assert sum(map(len, kept)) <= 1000
