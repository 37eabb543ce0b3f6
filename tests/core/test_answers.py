"""What an answer says of health, version and process; and that doubt never reads as good."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import reply

from deploygate.answers import read_health, read_identity, read_version
from deploygate.probe import (
    Convention,
    Header,
    Health,
    HealthProbe,
    JsonPointer,
    NoReply,
    Pattern,
    Reader,
    Reply,
    TextBody,
    VersionProbe,
)

HEALTHY, ILL, UNKNOWN = Health.HEALTHY, Health.ILL, Health.UNKNOWN
IETF, ACTUATOR = "application/health+json", "application/vnd.spring-boot.actuator.v3+json"


def health(answer: Reply | NoReply, reads: Convention | Reader = Convention.AUTO, *expect: str) -> tuple[Health, str]:
    return read_health(HealthProbe(reads=reads, expect=expect), answer)


def version(answer: Reply | NoReply, reads: Convention | Reader) -> tuple[str | None, str]:
    return read_version(VersionProbe(reads=reads), answer)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize("reads", [Convention.AUTO, Convention.STATUS])
def test_a_good_status_without_more_is_healthy(status: int, reads: Convention) -> None:
    assert health(reply(status=status), reads) == (HEALTHY, "")


@pytest.mark.parametrize("status", [100, 199, 400, 404, 429, 500, 503, 599])
@pytest.mark.parametrize("reads", list(Convention))
@pytest.mark.parametrize("body", ["", "ok", '{"status": "pass"}', '{"status": "UP"}'])
def test_no_body_makes_up_for_a_bad_status(status: int, reads: Convention, body: str) -> None:
    assert health(reply(body, status), reads)[0] is ILL


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("pass", HEALTHY), ("ok", HEALTHY), ("up", HEALTHY), ("warn", HEALTHY), ("UP", HEALTHY), ("Pass", HEALTHY),
        ("fail", ILL), ("error", ILL), ("down", ILL), ("DOWN", ILL), ("OUT_OF_SERVICE", ILL),
        ("UNKNOWN", UNKNOWN), ("", UNKNOWN), ("passed", UNKNOWN), ("maintenance", UNKNOWN),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [IETF, f"{IETF}; charset=utf-8", ACTUATOR, "APPLICATION/HEALTH+JSON"])
def test_the_words_of_a_health_document_are_those_of_its_convention(word: str, found: Health, kind: str) -> None:
    answer = reply(json.dumps({"status": word}), content_type=kind)
    says = f'answered 200 and says "{word}"'
    assert health(answer) == (found, "" if found is HEALTHY else says)


@pytest.mark.parametrize("reads", [Convention.HEALTH_JSON, Convention.ACTUATOR])
def test_a_convention_that_is_named_needs_no_content_type(reads: Convention) -> None:
    assert health(reply('{"status": "up"}'), reads) == (HEALTHY, "")
    assert health(reply("fine"), reads) == (UNKNOWN, "the body is not JSON")
    assert health(reply("{}"), reads) == (UNKNOWN, "the body has nothing at /status")


@pytest.mark.parametrize("word", ["pass", "warn", "up", "fail"])
def test_a_bad_status_outweighs_the_word(word: str) -> None:
    answer = reply(json.dumps({"status": word}), 503, content_type=IETF)
    assert health(answer) == (ILL, f'answered 503 and says "{word}"')


def test_a_word_of_illness_outweighs_a_good_status_even_unasked() -> None:
    assert health(reply('{"status": "DOWN"}')) == (ILL, 'answered 200 and says "DOWN"')


def test_the_status_convention_does_not_read_the_body() -> None:
    assert health(reply('{"status": "DOWN"}'), Convention.STATUS) == (HEALTHY, "")


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308, 399])
def test_a_redirect_is_no_answer(status: int) -> None:
    says = f"redirects ({status}); redirects are not followed"
    assert health(reply(status=status)) == (UNKNOWN, says)
    assert version(reply("2.0", status), TextBody()) == (None, says)


@pytest.mark.parametrize("status", [401, 403, 407, 511])
def test_a_login_is_no_answer(status: int) -> None:
    assert health(reply(status=status)) == (UNKNOWN, f"asks for a login ({status})")


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "Application/XHTML+xml"])
@pytest.mark.parametrize("status", [200, 503])
def test_a_web_page_is_no_answer(kind: str, status: int) -> None:
    answer = reply("2.0", status, content_type=kind)
    assert health(answer) == (UNKNOWN, f"answered {status} with a web page")
    assert version(answer, TextBody()) == (None, f"answered {status} with a web page")


@pytest.mark.parametrize("age", ["0", "1", "3600", "soon"])
def test_an_aged_answer_is_no_answer(age: str) -> None:
    says = f"an aged answer (Age: {age}) is not an answer"
    assert health(reply(age=age)) == (UNKNOWN, says)
    assert version(reply("2.0", age=age), TextBody()) == (None, says)


def test_a_body_that_was_cut_is_no_answer() -> None:
    assert health(reply("x", cut=True)) == (UNKNOWN, "the body is longer than 64 KiB")
    assert version(reply("2.0", cut=True), TextBody()) == (None, "the body is longer than 64 KiB")


def test_no_answer_is_illness_only_where_nothing_listens() -> None:
    assert health(NoReply("connection refused", refused=True)) == (ILL, "connection refused")
    assert health(NoReply("no answer within 1 s")) == (UNKNOWN, "no answer within 1 s")
    assert version(NoReply("no answer within 1 s"), TextBody()) == (None, "no answer within 1 s")


@pytest.mark.parametrize(
    ("reads", "answer"),
    [
        (Header("X-Health"), reply(x_health=" green ")),
        (JsonPointer("/a/0/b"), reply('{"a": [{"b": "green"}]}')),
        (TextBody(), reply(" green\n")),
        (Pattern("health=(green|red)"), reply("x\nhealth=green;")),
        (Pattern("green"), reply("all green")),
    ],
)
def test_a_reader_finds_the_expected_value(reads: Reader, answer: Reply) -> None:
    assert health(answer, reads, "green", "amber") == (HEALTHY, "")
    assert health(answer, reads, "blue") == (ILL, 'says "green"')
    assert health(Reply(500, answer.headers, answer.body), reads, "green") == (ILL, "answered 500")


def test_a_value_without_anything_expected_is_not_healthy_but_a_match_is() -> None:
    assert health(reply("ok"), TextBody()) == (ILL, 'says "ok"')
    assert health(reply("ok"), Pattern("ok")) == (HEALTHY, "")


@pytest.mark.parametrize(
    ("reads", "answer", "says"),
    [
        (Header("X-Health"), reply(), "has no header X-Health"),
        (JsonPointer("/a"), reply("[]"), "the body has nothing at /a"),
        (Pattern("ok"), reply("no"), "the body does not match the pattern"),
        (TextBody(), reply(b"\xff"), "the body is not UTF-8"),
    ],
)
def test_a_value_that_is_not_there_is_doubt_and_under_a_bad_status_illness(
    reads: Reader,
    answer: Reply,
    says: str,
) -> None:
    assert health(answer, reads, "ok") == (UNKNOWN, says)
    assert health(Reply(500, answer.headers, answer.body), reads, "ok") == (ILL, "answered 500")


DOCUMENT = json.dumps(
    {
        "version": "1.10", "number": 1.10, "build": 7, "yes": True, "none": None, "many": [],
        "deep": {"er": ["a", "b"]},
        "a/b": "slash", "m~n": "tilde", "~1": "both", "": "empty key", "0": "a zero", "wide": "9" * 80,
        "releaseId": "r1",
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/version", "1.10"),
        ("/build", "7"),
        ("/yes", "true"),
        ("/deep/er/1", "b"),
        ("/a~1b", "slash"),
        ("/m~0n", "tilde"),
        ("/~01", "both"),
        ("/", "empty key"),
        ("/0", "a zero"),
    ],
)
def test_a_pointer_finds_what_rfc_6901_says(pointer: str, value: str) -> None:
    assert version(reply(DOCUMENT), JsonPointer(pointer)) == (value, "")


@pytest.mark.parametrize("pointer", ["/nothing", "/deep/er/2", "/deep/er/-1", "/deep/er/-", "/version/0", "/deep/x/y"])
def test_a_pointer_to_nothing_names_no_version(pointer: str) -> None:
    assert version(reply(DOCUMENT), JsonPointer(pointer)) == (None, f"the body has nothing at {pointer}")


@pytest.mark.parametrize("pointer", ["/number", "/none", "/many", "/deep", ""])
def test_what_is_not_text_names_no_version(pointer: str) -> None:
    assert version(reply(DOCUMENT), JsonPointer(pointer)) == (None, f"what stands at {pointer} is not a string")


def test_an_unquoted_1_10_is_not_taken_for_1_1() -> None:
    assert version(reply('{"version": 1.10}'), JsonPointer("/version"))[0] is None


def test_the_conventions_name_the_version_at_their_places() -> None:
    assert version(reply(DOCUMENT), Convention.HEALTH_JSON) == ("r1", "")
    assert version(reply('{"build": {"version": "3"}}'), Convention.ACTUATOR) == ("3", "")
    assert version(reply('{"build": {"version": "3"}}', content_type=ACTUATOR), Convention.AUTO) == ("3", "")
    assert version(reply(DOCUMENT, content_type=IETF), Convention.AUTO) == ("r1", "")


@pytest.mark.parametrize(
    ("reads", "answer"),
    [
        (Header("X-V"), reply(x_v="  ")),
        (TextBody(), reply(" \n")),
        (JsonPointer("/v"), reply('{"v": ""}')),
        (Pattern("v=(.*)"), reply("v=")),
        (Pattern("a|b(c)"), reply("a")),
    ],
)
def test_an_empty_version_is_none(reads: Reader, answer: Reply) -> None:
    assert version(answer, reads) == (None, "names an empty version")


def test_a_version_under_a_bad_status_is_none() -> None:
    assert version(reply("2.0", 503), TextBody()) == (None, "the version probe answered 503")


BAD_JSON = [
    b"", b"{", b"{'a': 1}", b"NaN", b"\xff", b'{"version": "\xff"}', b'{"\xff": 1}', b'"\\ud800"', b"[" * 60_000,
    b'{"a":' * 10_000, b'{"version": ' + b"9" * 20_000 + b"}", b'{"version": 1e999}', b"\xef\xbb\xbf{}", b"{} {}",
]  # fmt: skip


@pytest.mark.parametrize("body", BAD_JSON, ids=lambda body: repr(body[:12]))
def test_a_body_that_is_not_json_names_nothing_and_breaks_nothing(body: bytes) -> None:
    assert version(reply(body), JsonPointer("/version")) == (None, "the body is not JSON")
    assert health(reply(body), Convention.HEALTH_JSON) == (UNKNOWN, "the body is not JSON")


def test_the_process_is_named_where_it_is_asked_for() -> None:
    answer = reply('{"boot": 12}', x_boot="b-1")
    assert read_identity(VersionProbe(identity=JsonPointer("/boot")), answer) == "12"
    assert read_identity(VersionProbe(identity=Header("X-Boot")), answer) == "b-1"
    assert read_identity(VersionProbe(identity=Header("X-None")), answer) is None
    assert read_identity(VersionProbe(), answer) is None
    assert read_identity(VersionProbe(identity=Header("X-Boot")), reply(status=500, x_boot="b-1")) is None
    assert read_identity(VersionProbe(identity=Header("X-Boot")), reply(age="1", x_boot="b-1")) is None
    assert read_identity(VersionProbe(identity=Header("X-Boot")), NoReply("refused")) is None


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["pass", "UP", "2.0"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["status", "version", "build"]) | st.text(), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())
BODIES = st.binary() | JSONS | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "age", "x-v", "location"]),
    st.text() | st.sampled_from([IETF, ACTUATOR, "text/html", "application/json"]),
)
READS = st.sampled_from(
    [
        *Convention,
        JsonPointer("/status"),
        JsonPointer(""),
        JsonPointer("/0"),
        Header("X-V"),
        TextBody(),
        Pattern("(.?)"),
    ]
)


@given(st.integers(100, 599), HEADERS, BODIES, READS, st.booleans())
def test_no_answer_breaks_the_reading(
    status: int,
    headers: dict[str, str],
    body: bytes,
    reads: Convention | Reader,
    cut: bool,  # noqa: FBT001 - drawn
) -> None:
    answer = Reply(status, headers, body, cut)
    found, says = health(answer, reads, "2.0")
    named, why = version(answer, reads)
    read_identity(VersionProbe(identity=JsonPointer("/status")), answer)
    assert bool(says) == (found is not HEALTHY)
    assert bool(named) != bool(why)


@given(st.integers(100, 599).filter(lambda status: not 200 <= status < 300), HEADERS, BODIES, READS)
def test_no_body_and_no_header_make_a_bad_status_healthy(
    status: int,
    headers: dict[str, str],
    body: bytes,
    reads: Convention | Reader,
) -> None:
    answer = Reply(status, headers, body)
    assert health(answer, reads)[0] is not HEALTHY
    assert version(answer, reads)[0] is None


@pytest.mark.parametrize("body", ['{"status": "starting"}', '{"status": 7}', '{"status"', "[1, 2", "{}{}"])
def test_json_that_does_not_say_healthy_cannot_tell(body: str) -> None:
    assert health(reply(body, content_type="application/json"))[0] is UNKNOWN


@pytest.mark.parametrize("body", ["{}", '{"uptime": 12}'])
def test_json_without_a_status_is_read_by_the_status_code(body: str) -> None:
    assert health(reply(body, content_type="application/json")) == (HEALTHY, "")


def test_without_a_reader_the_build_of_a_health_document_is_its_release_id() -> None:
    body = '{"status": "pass", "version": "1", "releaseId": "1.build7"}'
    assert version(reply(body, content_type=IETF), VersionProbe().reads) == ("1.build7", "")
    assert version(reply('{"version": "2.0"}', content_type="application/json"), VersionProbe().reads) == ("2.0", "")


def test_a_pattern_that_takes_for_ever_tells_nothing() -> None:
    assert version(reply("a" * 40 + "!"), Pattern("(a|aa)+$")) == (None, "the pattern takes too long on this body")
