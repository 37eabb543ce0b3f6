"""Releases on disk: they arrive whole or not at all, stay what they were, and reach nowhere else."""

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deploygate.adapters.hosts.layout import Current, Layout
from deploygate.adapters.hosts.releases import ReleaseError, check, installed, manifest, remove, stage
from deploygate.names import InstanceName, Version

V1, V2 = Version("1.0"), Version("2.0")
FILES = {"run": b"#!/bin/sh\n", "lib/a.txt": b"a", "lib/deep/b.bin": bytes(range(256))}
Pack = Callable[[Path, Path], Path]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "srv").mkdir()
    return Layout(tmp_path / "srv")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return the folder of a release, with a program, an empty file, and links to a file, a folder and nowhere."""
    folder = tmp_path / "built"
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "run").chmod(0o755)
    (folder / "empty").touch()
    return folder


def linked(folder: Path) -> Path:
    (folder / "current").symlink_to("lib")
    (folder / "latest.txt").symlink_to("lib/a.txt")
    return folder


def as_folder(_tmp: Path, folder: Path) -> Path:
    return folder


def as_tar(tmp: Path, folder: Path) -> Path:
    with tarfile.open(tmp / "x.tar", "w") as archive:
        archive.add(folder, ".")
    return tmp / "x.tar"


def as_tgz(tmp: Path, folder: Path) -> Path:
    with tarfile.open(tmp / "x.tar.gz", "w:gz") as archive:
        archive.add(folder, ".")
    return tmp / "x.tar.gz"


def as_zip(tmp: Path, folder: Path) -> Path:
    with zipfile.ZipFile(tmp / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, str(path.relative_to(folder)))
    return tmp / "x.zip"


def refusal(layout: Layout, version: Version, artifact: Path | None) -> str:
    with pytest.raises(ReleaseError) as told:
        stage(layout, version, artifact, 1.0)
    return str(told.value)


def nothing_left(layout: Layout) -> bool:
    staging = list(layout.staging.iterdir()) if layout.staging.exists() else []
    return staging == [] and not layout.release(V1).exists() and installed(layout) == ()


@pytest.mark.parametrize("pack", [as_folder, as_tar, as_tgz, as_zip])
def test_a_release_arrives_whole_and_executable(tmp_path: Path, layout: Layout, built: Path, pack: Pack) -> None:
    stage(layout, V1, pack(tmp_path, built), 1.0)
    assert manifest(layout.release(V1)) == manifest(built)
    assert os.access(layout.release(V1) / "run", os.X_OK)
    assert not os.access(layout.release(V1) / "lib" / "a.txt", os.X_OK)
    assert (list(layout.staging.iterdir()), installed(layout)) == ([], ("1.0",))
    check(layout, V1, unchanged=True)


@pytest.mark.parametrize("pack", [as_folder, as_tar, as_tgz])
def test_links_stay_links(tmp_path: Path, layout: Layout, built: Path, pack: Pack) -> None:
    stage(layout, V1, pack(tmp_path, linked(built)), 1.0)
    assert (layout.release(V1) / "current").readlink() == Path("lib")
    assert (layout.release(V1) / "latest.txt").read_bytes() == b"a"
    check(layout, V1, unchanged=True)


@pytest.mark.parametrize("pack", [as_folder, as_tar, as_zip])
def test_staging_again_changes_nothing(tmp_path: Path, layout: Layout, built: Path, pack: Pack) -> None:
    artifact = pack(tmp_path, built)
    stage(layout, V1, artifact, 1.0)
    (layout.release(V1) / "service.log").write_text("what a running service wrote")
    before = layout.manifest(V1).read_bytes()
    stage(layout, V1, artifact, 2.0)
    assert layout.manifest(V1).read_bytes() == before


@pytest.mark.parametrize("pack", [as_folder, as_tar, as_zip])
def test_a_version_never_becomes_another_release(tmp_path: Path, layout: Layout, built: Path, pack: Pack) -> None:
    stage(layout, V1, pack(tmp_path, built), 1.0)
    (built / "lib" / "a.txt").write_bytes(b"b")
    says = "another release of 1.0 is installed already: a version never changes, release a new one"
    assert refusal(layout, V1, pack(tmp_path, built)) == says
    assert (layout.release(V1) / "lib" / "a.txt").read_bytes() == b"a"


def test_a_release_that_somebody_put_there_must_be_the_same(layout: Layout, built: Path) -> None:
    (layout.release(V1)).mkdir()
    (layout.release(V1) / "run").write_bytes(b"other")
    assert refusal(layout, V1, built).startswith("another release of 1.0 is installed already")
    assert (layout.release(V1) / "run").read_bytes() == b"other"


def test_without_an_artifact_the_release_must_be_there_already(tmp_path: Path, layout: Layout) -> None:
    assert refusal(layout, V1, None) == f"1.0 is not installed in {layout.root}, and the inventory names no artifact"
    gone = tmp_path / "gone"
    assert refusal(layout, V1, gone) == f"1.0 is not installed in {layout.root}, and {gone} does not exist"
    layout.release(V1).mkdir()
    (layout.release(V1) / "run").touch()
    stage(layout, V1, None, 1.0)
    assert installed(layout) == ("1.0",)


@pytest.mark.parametrize("name", ["../evil", "/tmp/deploygate-evil", "lib/../../../evil"])
@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_tar_that_reaches_out_of_its_folder_is_refused(tmp_path: Path, layout: Layout, name: str, kind: str) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("way" if kind == "link" else name)
        if kind == "link":
            member.type, member.linkname = tarfile.SYMTYPE, name
        archive.addfile(member, io.BytesIO())
    before = sorted(str(one) for one in tmp_path.rglob("*"))
    if name.startswith("/") and kind == "file":  # the slash is taken off, and it stays inside
        stage(layout, V1, path, 1.0)
        assert manifest(layout.release(V1)).keys() == {"tmp/deploygate-evil"}
        assert not Path(name).exists()
        return
    assert refusal(layout, V1, path).startswith(f"1.0 can't be staged from {path}: ")
    assert nothing_left(layout)
    made = {str(one) for one in tmp_path.rglob("*")} - set(before)
    assert {one for one in made if ".deploygate" not in one} == set()


def test_a_tar_with_a_device_is_refused(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("zero")
        member.type, member.devmajor, member.devminor = tarfile.CHRTYPE, 1, 5
        archive.addfile(member)
    assert refusal(layout, V1, path).startswith(f"1.0 can't be staged from {path}: ")
    assert nothing_left(layout)


@pytest.mark.parametrize("name", ["../evil", "/evil", "lib/../../evil"])
def test_nothing_of_a_zip_leaves_its_folder(tmp_path: Path, layout: Layout, name: str) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    stage(layout, V1, path, 1.0)
    assert all(name.endswith("evil") for name in manifest(layout.release(V1)))
    assert [one for one in tmp_path.rglob("evil") if layout.release(V1) not in one.parents] == []


def broken(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def damaged(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    middle = content.index(b"lib/deep/b.bin") + 40
    content[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [as_tar, as_tgz, as_zip])
def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path, layout: Layout, built: Path, pack: Pack) -> None:
    (built / "big.bin").write_bytes(os.urandom(50_000))
    path = broken(pack(tmp_path, built))
    assert refusal(layout, V1, path).startswith(f"1.0 can't be staged from {path}: ")
    assert nothing_left(layout)


def test_a_damaged_archive_is_refused(tmp_path: Path, layout: Layout, built: Path) -> None:
    path = damaged(as_zip(tmp_path, built))
    assert refusal(layout, V1, path).startswith(f"1.0 can't be staged from {path}: ")
    assert nothing_left(layout)


@pytest.mark.parametrize("name", ["x", "x.txt", "x.zip", "x.tar.gz", "x.7z"])
def test_what_is_no_archive_is_refused(tmp_path: Path, layout: Layout, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"rubbish" * 100)
    assert refusal(layout, V1, path).startswith(f"1.0 can't be staged from {path}: ")
    assert nothing_left(layout)


def test_a_tar_that_ends_with_a_jar_is_a_tar(tmp_path: Path, layout: Layout) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "run").write_bytes(b"#!/bin/sh\n")
    with zipfile.ZipFile(folder / "z.jar", "w") as jar:
        jar.writestr("inside.class", "x")
    stage(layout, V1, as_tar(tmp_path, folder), 1.0)
    assert manifest(layout.release(V1)).keys() == {"run", "z.jar"}


def test_what_a_killed_staging_left_is_no_release_and_goes(layout: Layout, built: Path) -> None:
    left = layout.staging / "1.0.4711"
    left.mkdir(parents=True)
    (left / "run").write_text("half")
    assert installed(layout) == ()
    stage(layout, V1, built, 1.0)
    assert list(layout.staging.iterdir()) == []


def test_a_staging_that_was_killed_before_its_record_is_finished(layout: Layout, built: Path) -> None:
    stage(layout, V1, built, 1.0)
    layout.manifest(V1).unlink()
    assert installed(layout) == ()
    stage(layout, V1, built, 1.0)
    assert installed(layout) == ("1.0",)


def complaint(layout: Layout, version: Version = V1, *, unchanged: bool = True) -> str:
    with pytest.raises(ReleaseError) as told:
        check(layout, version, unchanged=unchanged)
    return str(told.value)


def test_a_release_that_is_not_there_cannot_be_started(layout: Layout) -> None:
    assert complaint(layout, unchanged=False) == f"1.0 is not installed in {layout.root}"


def test_a_missing_file_is_named(layout: Layout, built: Path) -> None:
    stage(layout, V1, built, 1.0)
    (layout.release(V1) / "lib" / "a.txt").unlink()
    assert complaint(layout) == complaint(layout, unchanged=False) == "1.0 is not complete: lib/a.txt is missing"


def swapped(path: Path) -> None:
    path.unlink()
    path.symlink_to("/bin/sh")


def taken_away(path: Path) -> None:
    path.chmod(0o644)


@pytest.mark.parametrize("tamper", [lambda path: path.write_bytes(b"x"), swapped, taken_away])
def test_tampering_is_named_where_the_release_must_be_as_staged(
    layout: Layout,
    built: Path,
    tamper: Callable[[Path], None],
) -> None:
    stage(layout, V1, built, 1.0)
    tamper(layout.release(V1) / "run")
    assert complaint(layout) == "1.0 is not what was staged: run has changed"
    check(layout, V1, unchanged=False)  # the way back goes on with what there is


def test_files_that_were_added_do_not_matter(layout: Layout, built: Path) -> None:
    stage(layout, V1, built, 1.0)
    (layout.release(V1) / "__pycache__").mkdir()
    (layout.release(V1) / "__pycache__" / "x.pyc").touch()
    check(layout, V1, unchanged=True)


def test_a_damaged_list_of_files_proves_nothing(layout: Layout, built: Path) -> None:
    stage(layout, V1, built, 1.0)
    for rubbish in (b"", b"{}", b'{"files": "\xff"}'):
        layout.manifest(V1).write_bytes(rubbish)
        assert complaint(layout) == f"1.0 can't be checked: {layout.manifest(V1)} is damaged"
        check(layout, V1, unchanged=False)


def test_releases_are_listed_oldest_first_and_removed_whole(layout: Layout, built: Path) -> None:
    stage(layout, V2, built, 1.0)
    stage(layout, V1, built, 2.0)
    assert installed(layout) == ("2.0", "1.0")
    remove(layout, V2)
    assert installed(layout) == ("1.0",)
    assert sorted(one.name for one in layout.root.iterdir()) == [".deploygate", "1.0"]
    assert list(layout.staging.iterdir()) == []


def test_what_was_started_is_recorded_and_rubbish_is_no_record(layout: Layout) -> None:
    one = InstanceName("i1")
    assert layout.current(one) is None
    layout.record(one, Current(V2, V1, "r1", 1.0))
    assert layout.current(one) == Current(V2, V1, "r1", 1.0)
    for rubbish in (b"", b"{", b'{"version": "\xff"}'):
        (layout.instance(one) / "current.json").write_bytes(rubbish)
        assert layout.current(one) is None


OLD_PYTHON = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # where there is a filter, it is missed


@OLD_PYTHON
@pytest.mark.parametrize("pack", [as_tar, as_tgz])
def test_a_python_without_tar_filters_unpacks_the_same(
    tmp_path: Path,
    layout: Layout,
    built: Path,
    pack: Pack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    stage(layout, V1, pack(tmp_path, linked(built)), 1.0)
    assert manifest(layout.release(V1)) == manifest(built)


@OLD_PYTHON
@pytest.mark.parametrize(("name", "link"), [("../evil", ""), ("a/../../evil", ""), ("way", "../evil"), ("way", "/etc")])
def test_a_python_without_tar_filters_refuses_what_reaches_out(
    tmp_path: Path,
    layout: Layout,
    name: str,
    link: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(name)
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        archive.addfile(member, io.BytesIO())
    assert refusal(layout, V1, path).endswith("is not a file of its own folder")
    assert not (tmp_path / "evil").exists()
