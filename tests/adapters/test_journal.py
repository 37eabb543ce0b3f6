"""What is written down before and after it is done is read back as it was, or not guessed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from made import NEW, OLD, move, name, plan, seen

from deploygate.adapters.journal import FileJournal
from deploygate.endings import Ending, Goal
from deploygate.errors import GateError
from deploygate.events import (
    Change,
    Interrupted,
    LockReleased,
    LockTaken,
    Look,
    Proved,
    Prune,
    Pruned,
    RaiseRollback,
    ReleaseLock,
    RollbackEnded,
    Seen,
    Stage,
    Staged,
    Start,
    Switch,
    Switched,
    TakeLock,
    Trouble,
)
from deploygate.names import PRODUCTION, RunId, ServiceName
from deploygate.past import Run
from deploygate.probe import Health

SVC = ServiceName("Svc")
I1 = name("i1")
PLAN = plan(move("i1", bake=1.5), instances={I1: PRODUCTION}, floors={PRODUCTION: 0}, waived={"way-back": "näh"})
BASELINE = (seen("i1", says="a\n|<b>", alive=True, release="1.0"),)
LOOK = Look((I1,), 101.0)
SWITCH = Switch((Change(I1, OLD, NEW),))


OPEN: list[FileJournal] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().end(Ending.INTERRUPTED, "", bad=False, debts=())


def journal(folder: Path, called: str = "r1") -> FileJournal:
    OPEN.append(FileJournal(folder, RunId(called), "nathan"))
    return OPEN[-1]


def begun(folder: Path, called: str = "r1") -> FileJournal:
    """Write a run up to the moment at which it was about to switch."""
    one = journal(folder, called)
    one.begin(PLAN, BASELINE)
    for action, event in (
        (TakeLock(Goal.DEPLOY), LockTaken(100.0, "deploy run r0, which is over")),
        (Stage((Start(I1, NEW),)), Staged(100.0)),
        (LOOK, Proved(100.0)),
        (LOOK, Seen(101.0, (seen("i1", at=101.0),))),
    ):
        one.before(action)
        one.after(event)
    one.before(SWITCH)
    return one


def read(folder: Path) -> tuple[Run, ...]:
    return journal(folder, "reader").past(SVC)


def lines(folder: Path, called: str = "r1") -> list[bytes]:
    return (folder / "Svc" / f"{called}.jsonl").read_bytes().splitlines()


def rewritten(folder: Path, content: bytes) -> Path:
    path = folder / "Svc" / "r1.jsonl"
    path.write_bytes(content)
    return path


def test_a_run_that_ended_is_read_as_it_was(tmp_path: Path) -> None:
    one = begun(tmp_path)
    one.after(Switched(102.0))
    one.end(Ending.MIXED, "halted", bad=True, debts=(I1,))
    (found,) = read(tmp_path)
    assert found == Run(
        RunId("r1"), found.at, "nathan", PLAN, frozenset({I1}), Ending.MIXED, "halted", bad=True, debts=(I1,)
    )


def test_a_run_that_goes_on_is_alive_and_its_own_run_is_not_among_the_earlier_ones(tmp_path: Path) -> None:
    one = begun(tmp_path)
    (found,) = read(tmp_path)
    assert (found.ending, found.alive, found.touched) == (None, True, frozenset({I1}))
    assert one.past(SVC) == ()


def test_a_run_whose_process_is_another_was_cut_off(tmp_path: Path) -> None:
    begun(tmp_path)
    first, *rest = lines(tmp_path)
    begin = json.loads(first) | {"process": f"{os.getpid()}-1.00"}
    rewritten(tmp_path, b"\n".join([json.dumps(begin).encode(), *rest, b""]))
    (found,) = read(tmp_path)
    assert (found.ending, found.alive) == (None, False)


def test_every_action_and_event_is_read_back(tmp_path: Path) -> None:
    one = begun(tmp_path)
    for event in (
        Switched(102.0, (Trouble(I1, "port 1 is held"),)),
        Interrupted(103.0, "SIGTERM"),
        Seen(104.0, (seen("i1", None, 104.0, health=Health.UNKNOWN),)),
        LockReleased(104.0),
    ):
        one.before(RaiseRollback("ill", 1.0))
        one.before(Prune((I1,), (OLD,)))
        one.before(ReleaseLock())
        one.after(event)
    (found,) = read(tmp_path)
    assert found.cause == "port 1 is held"


def test_other_events_have_words_in_the_journal_too(tmp_path: Path) -> None:
    one = journal(tmp_path)
    one.begin(PLAN, BASELINE)
    one.after(RollbackEnded(1.0, "x", Ending.ROLLED_BACK, RunId("r2")))
    one.after(Pruned(1.0, (OLD,)))
    one.end(Ending.DEPLOYED, "", bad=False, debts=())
    assert read(tmp_path)[0].ending is Ending.DEPLOYED


def test_earlier_runs_come_oldest_first_and_of_this_service_only(tmp_path: Path) -> None:
    for called, at in (("r1", "2024-01-02"), ("r2", "2024-01-01"), ("r0", "2024-01-02")):
        begun(tmp_path, called).end(Ending.DEPLOYED, "", bad=False, debts=())
        first, *rest = lines(tmp_path, called)
        moved = json.dumps(json.loads(first) | {"at": at}).encode()
        (tmp_path / "Svc" / f"{called}.jsonl").write_bytes(b"\n".join([moved, *rest, b""]))
    assert [one.run for one in read(tmp_path)] == ["r2", "r0", "r1"]
    assert journal(tmp_path).past(ServiceName("Other")) == ()


def test_a_run_comes_after_those_before_it_although_a_clock_was_set_back(tmp_path: Path) -> None:
    begun(tmp_path, "r2").end(Ending.DEPLOYED, "", bad=False, debts=())
    first, *rest = lines(tmp_path, "r2")
    ahead = json.dumps(json.loads(first) | {"at": "2999-01-01T12:00:00.000+00:00"}).encode()
    (tmp_path / "Svc" / "r2.jsonl").write_bytes(b"\n".join([ahead, *rest, b""]))
    begun(tmp_path, "r1").end(Ending.DEPLOYED, "", bad=False, debts=())
    assert [(one.run, one.at[:23]) for one in read(tmp_path)] == [
        ("r2", "2999-01-01T12:00:00.000"), ("r1", "2999-01-01T12:00:00.001"),
    ]  # fmt: skip


def test_what_cannot_be_written_down_is_not_done(tmp_path: Path) -> None:
    (tmp_path / "Svc").write_text("a file where the folder should be")
    with pytest.raises(GateError) as told:
        journal(tmp_path).begin(PLAN, BASELINE)
    assert (told.value.ending, told.value.says) == (
        Ending.REFUSED,
        f"the journal {tmp_path}/Svc/r1.jsonl can't be written: File exists; nothing was touched",
    )


def test_after_a_line_that_was_not_written_there_is_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = begun(tmp_path)

    def full(_number: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="no space"):
            one.after(Switched(1.0))
    kept = lines(tmp_path)
    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            one.before(SWITCH)
    assert lines(tmp_path) == kept
    OPEN.remove(one)
    assert one._file  # noqa: SLF001 - a journal that is lost ends with its process
    one._file.close()  # noqa: SLF001


def test_an_action_is_on_the_disk_before_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[list[str]] = []
    path = tmp_path / "Svc" / "r1.jsonl"

    def watched(_number: int) -> None:
        synced.append([json.loads(line)["kind"] for line in path.read_bytes().splitlines()])

    monkeypatch.setattr("os.fsync", watched)
    one = journal(tmp_path)
    one.begin(PLAN, BASELINE)
    assert synced[-1][-1] == "begin"
    one.before(SWITCH)
    assert synced[-1] == ["begin", "doing"]
    one.after(Switched(1.0))
    assert synced[-1] == ["begin", "doing", "done"]
    before = len(synced)
    one.before(LOOK)
    one.after(Seen(2.0, ()))
    assert len(synced) == before
    assert len(lines(tmp_path)) == 5
    one.end(Ending.DEPLOYED, "", bad=False, debts=())
    assert synced[-1][-1] == "end"


def test_a_line_that_was_not_finished_was_not_written(tmp_path: Path) -> None:
    begun(tmp_path)
    whole = b"\n".join(lines(tmp_path)) + b"\n"
    for torn in (b"{", b'{"kind":"end","at":"x","ending":"deployed"', b'{"kind":"done"\xff', b"\x00" * 9):
        rewritten(tmp_path, whole + torn)
        assert read(tmp_path)[0].ending is None


def test_a_file_in_which_nothing_was_finished_tells_of_no_run(tmp_path: Path) -> None:
    begun(tmp_path)
    for nothing in (b"", b'{"kind":"begin"'):
        rewritten(tmp_path, nothing)
        assert read(tmp_path) == ()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"rubbish",
        b"{}",
        b"",
        b'{"kind":"done","at":"x","event":{"type":"Dancing"}}',
        b"\xff",
        b'{"kind": "\xff"}',
        b"null",
    ],
)
@pytest.mark.parametrize("ended", [True, False])
def test_a_line_that_cannot_be_read_is_named_and_not_guessed(tmp_path: Path, rubbish: bytes, ended: bool) -> None:  # noqa: FBT001
    one = begun(tmp_path)
    if ended:
        one.end(Ending.DEPLOYED, "", bad=False, debts=())
    kept = lines(tmp_path)
    path = rewritten(tmp_path, b"\n".join([*kept[:2], rubbish, *kept[2:], b""]))
    with pytest.raises(GateError) as told:
        read(tmp_path)
    assert told.value.says.startswith(f"{path}, line 3, can't be read: ")
    assert told.value.help == "The journal is what a rollback goes by. Mend the line, or move the file away."


def test_a_journal_of_another_schema_is_named_and_not_guessed(tmp_path: Path) -> None:
    begun(tmp_path)
    first, *rest = lines(tmp_path)
    newer = json.dumps(json.loads(first) | {"schema": 2}).encode()
    path = rewritten(tmp_path, b"\n".join([newer, *rest, b""]))
    with pytest.raises(GateError) as told:
        read(tmp_path)
    assert told.value.says == f"{path} is not a journal of schema 1"


def test_a_journal_without_its_first_line_is_named_and_not_guessed(tmp_path: Path) -> None:
    begun(tmp_path)
    path = rewritten(tmp_path, b"\n".join([*lines(tmp_path)[1:], b""]))
    with pytest.raises(GateError) as told:
        read(tmp_path)
    assert told.value.says == f"{path} is not a journal of schema 1"


def test_what_a_service_said_breaks_no_line(tmp_path: Path) -> None:
    one = begun(tmp_path)
    one.after(Seen(102.0, (seen("i1", says='\n{"kind":"end"}\n"type":"Look"'),)))
    assert {json.loads(line)["kind"] for line in lines(tmp_path)} == {"begin", "doing", "done"}
