"""What a service prints of its secrets is told to nobody."""

from deploygate.adapters.hosts.masking import masked
from deploygate.wording import plain

ENVIRON = {"PASSWORD": "open sesame\nsecond \x1b[1m line", "SHORT": "abc", "OTHER": "not a secret"}


def test_each_line_of_a_secret_is_taken_out_as_it_would_be_shown() -> None:
    says = plain("could not log in with open  sesame, nor with second \x1b[1m line")
    assert masked(says, ["PASSWORD"], ENVIRON) == "could not log in with ***, nor with ***"


def test_what_a_cut_has_left_of_a_secret_is_taken_out_too() -> None:
    assert masked(plain("with open sesame", 12), ["PASSWORD"], ENVIRON) == "with ***…"


def test_what_is_no_secret_or_too_short_to_be_one_stays() -> None:
    assert masked("abc: not a secret, GONE", ["SHORT", "GONE"], ENVIRON) == "abc: not a secret, GONE"
