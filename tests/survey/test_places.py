"""Places -> files -> units: what belongs together, what is left out, what leads out of the place."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from graphscope.errors import FormatError
from graphscope.survey.archives import is_archive, unpack
from graphscope.survey.places import File, Folder, folders_in
from graphscope.survey.units import units_of


def places(place: object) -> list[str]:
    return [unit.place for unit in units_of(folders_in(str(place)))]


def test_the_files_of_a_model_are_one_unit(tmp_path: Path) -> None:
    names = """a/checkpoint a/m-1.index a/m-1.meta a/m-1.data-00000-of-00002 a/m-1.data-00001-of-00002 a/m-2.index a/alone.meta
    b/saved_model.pb b/fingerprint.pb b/variables/variables.index b/variables/variables.data-00000-of-00001 b/assets/words.txt
    b/other/x.h5 c/model.json c/group1-shard1of1.bin c/v1 c/v1.meta d/v1-00000-of-00002 d/v1-00001-of-00002 d/v1.meta"""
    for name in names.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12")
    units = {u.place: u for u in units_of(folders_in(str(tmp_path)))}
    names = "a/alone.meta a/m-1.index a/m-2.index b b/other/x.h5 c/model.json c/v1 d/v1-00000-of-00002"
    assert sorted(units) == [str(tmp_path / name) for name in names.split()]
    assert units[str(tmp_path / "b")].size == 8  # fingerprint and the folder's own
    assert units[str(tmp_path / "a/m-1.index")].size == 8
    before = units[str(tmp_path / "b")].stamp
    os.utime(tmp_path / "b/variables/variables.index", ns=(1, 1))
    units = {u.place: u for u in units_of(folders_in(str(tmp_path)))}
    assert units[str(tmp_path / "b")].stamp != before


def test_a_glob_a_file_and_a_url_are_places(tmp_path: Path) -> None:
    for name in ("a.pb", "b.pb", "c.h5", "in/d.pb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    assert places(f"{tmp_path}/*.pb") == [f"{tmp_path}/a.pb", f"{tmp_path}/b.pb"]
    assert places(f"{tmp_path}/**/d.pb") == [f"{tmp_path}/in/d.pb"]
    assert places(tmp_path / "a.pb") == [f"{tmp_path}/a.pb"]
    assert len(places(f"file://{tmp_path}")) == 4
    with pytest.raises(FormatError, match="no such file"):
        places(tmp_path / "nothing")


def test_links_that_lead_out_and_what_is_no_file_are_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "secret.pb").write_bytes(b"1")
    (place / "blob").write_bytes(b"1")
    (place / "inside.pb").symlink_to(place / "blob")
    (place / "out.pb").symlink_to(tmp_path / "secret.pb")
    (place / "circle").symlink_to(place)
    os.mkfifo(place / "pipe.pb")
    assert places(place) == [f"{place}/blob", f"{place}/inside.pb"]


def test_units_of_a_listing_need_no_disk() -> None:
    files = (File("s3://b/x/m.index", 1, "e1"), File("s3://b/x/m.meta", 2, "e2"))
    (unit,) = units_of([Folder("s3://b/x", files)])
    assert (unit.place, unit.size) == ("s3://b/x/m.index", 3)


EVIL = ("../out.pb", "/tmp/out.pb", "a/../../out.pb", "..\\out.pb", "")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_member_leaves_the_folder(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"m.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in (*EVIL[:-1], "in/m.pb"):
                archive.writestr(name, b"data")
    else:
        with tarfile.open(path, "w") as tar:
            for name in (*EVIL[:-1], "in/m.pb"):
                member = tarfile.TarInfo(name)
                member.size = 4
                tar.addfile(member, io.BytesIO(b"data"))
            link = tarfile.TarInfo("link.pb")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
    assert is_archive(str(path))
    folder = tmp_path / "out" / "deep"
    folder.mkdir(parents=True)
    unpack(str(path), folder)
    written = [p for p in (tmp_path / "out").rglob("*") if not p.is_dir()]
    assert written == [folder / "in" / "m.pb"]
    assert not (tmp_path / "out.pb").exists()


def test_an_archive_that_grows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(70):
            archive.writestr(f"{number}.pb", bytes(1 << 20))
    with pytest.raises(FormatError, match="more than 67,108,864 bytes"):
        unpack(str(path), tmp_path)
    data = path.read_bytes()
    for cut in (5, 100, len(data) // 2):
        path.write_bytes(data[:cut])
        with pytest.raises(FormatError, match="damaged archive"):
            unpack(str(path), tmp_path / str(cut))


def test_the_names_of_a_saved_model_mean_nothing_without_one(tmp_path: Path) -> None:
    for name in (
        "saved/saved_model.pb",
        "saved/fingerprint.pb",
        "alone/fingerprint.pb",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12")
    expected = [str(tmp_path / "alone/fingerprint.pb"), str(tmp_path / "saved")]
    assert sorted(places(tmp_path)) == expected
