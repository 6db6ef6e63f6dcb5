"""Backups: of one moment under constant writes, checked before anything is touched, put in place whole or not."""

import asyncio
import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from storage.database.data_folder import rows_in_use, running_desk
from storage.database.engine import open_database
from storage.database.schema import MIGRATIONS
from storage.errors import (
    ConflictError,
    DeskhandError,
    InvalidError,
    SchemaError,
    SettingsError,
    UnavailableError,
)
from storage.operations.archive import MANIFEST, Manifest
from storage.operations.backup import back_up
from storage.operations.restore import restore
from storage.settings import Settings
from tests.support.embedded_rows import (
    content,
    make_rows,
    make_template,
    marks,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(make_template(tmp_path_factory.mktemp("template")))


@pytest.fixture
def old(tmp_path: Path, template: Path) -> Settings:
    """A desk with everything marked `old`."""
    make_rows(tmp_path / "data", template, "old")
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def backup(tmp_path: Path, template: Path) -> Path:
    """A backup of another desk with everything marked `new`."""
    make_rows(tmp_path / "other", template, "new")
    return back_up(Settings(data_dir=tmp_path / "other"), tmp_path / "backup.tar.gz")


async def test_a_backup_brings_back_rows_checkpoints_and_secret_and_leaves_the_vectors_to_be_made(
    tmp_path: Path, backup: Path
) -> None:
    fresh = Settings(data_dir=tmp_path / "fresh" / "data")
    restored = await restore(fresh, backup)
    assert marks(fresh) == ["new", "new", "new"]
    assert restored.aside is None
    assert restored.manifest.rows["deskhand.db"]["workspaces"] == 1
    for name in ("deskhand.db", "checkpoints.db", "secret"):
        assert stat.S_IMODE((fresh.data_dir / name).stat().st_mode) == 0o600
    left = {path.name for path in fresh.data_dir.iterdir()}
    assert left == {"deskhand.db", "checkpoints.db", "secret", "rows.lock"}


def test_a_backup_is_readable_by_its_owner_only_and_says_what_is_in_it(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert sorted(path.name for path in backup.parent.glob(".backup*")) == []
    with tarfile.open(backup) as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile(MANIFEST) or io.BytesIO())
        modes = {member.mode for member in archive}
    assert names == [MANIFEST, "deskhand.db", "checkpoints.db", "secret"]
    assert modes == {0o600}
    assert manifest["made_at"].endswith("Z")
    assert manifest["rows"]["checkpoints.db"] == {"checkpoints": 1}
    assert set(manifest["parts"]) == set(names[1:])


def test_a_backup_into_a_folder_is_named_by_its_moment(old: Settings, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    written = back_up(old, tmp_path / "backups")
    assert written.parent == tmp_path / "backups"
    assert written.name.startswith("deskhand-2")
    assert written.name.endswith("Z.tar.gz")


def test_a_file_is_replaced_only_by_force(old: Settings, backup: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(ConflictError, match="--force"):
        back_up(old, backup)
    assert backup.read_bytes() == before
    back_up(old, backup, force=True)
    asyncio.run(restore(old, backup))
    assert marks(old) == ["old", "old", "old"]


def test_without_a_desk_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no data folder"):
        back_up(Settings(data_dir=tmp_path / "none"), tmp_path / "backup.tar.gz")
    assert content(tmp_path) == {}


@pytest.mark.parametrize("url", ["postgresql://desk@localhost/desk", "sqlite:////elsewhere/desk.db"])
async def test_rows_that_are_not_in_the_data_folder_are_refused_with_what_to_do(tmp_path: Path, url: str) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "database": {"url": url}})
    with pytest.raises(SettingsError, match=r"pg_dump.*deskhand db reindex|leave database.url empty"):
        back_up(settings, tmp_path / "backup.tar.gz")
    with pytest.raises(SettingsError, match=r"pg_dump.*deskhand db reindex|leave database.url empty"):
        await restore(settings, tmp_path / "backup.tar.gz")
    assert content(tmp_path) == {}


class Writer(threading.Thread):
    """Writes number after number without a pause: into the rows first, then into the checkpoints."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__()
        self.data_dir = data_dir
        self.stopped = threading.Event()
        self.written = 0

    def run(self) -> None:
        with (
            closing(sqlite3.connect(self.data_dir / "deskhand.db", timeout=60)) as rows,
            closing(sqlite3.connect(self.data_dir / "checkpoints.db", timeout=60)) as checkpoints,
        ):
            while not self.stopped.is_set():
                for connection in (rows, checkpoints):
                    connection.execute("INSERT INTO numbers VALUES (?)", (self.written,))
                    connection.commit()
                self.written += 1


def test_rows_and_checkpoints_are_of_one_moment_however_much_is_written(old: Settings, tmp_path: Path) -> None:
    for name in ("deskhand.db", "checkpoints.db"):
        with closing(sqlite3.connect(old.data_dir / name)) as connection, connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE numbers (number INTEGER)")
            connection.execute("CREATE TABLE ballast (bytes BLOB)")
            connection.execute("INSERT INTO ballast VALUES (zeroblob(20000000))")
    writer = Writer(old.data_dir)
    writer.start()
    try:
        written = [back_up(old, tmp_path / f"{number}.tar.gz") for number in range(3)]
    finally:
        writer.stopped.set()
        writer.join()
    counts = [rows_of(path, "numbers") for path in written]
    assert counts[0][0] < counts[-1][0] <= writer.written
    assert all(rows - checkpoints in (0, 1) for rows, checkpoints in counts), counts


def rows_of(backup: Path, table: str) -> tuple[int, int]:
    rows = manifest_of(backup).rows
    return rows["deskhand.db"][table], rows["checkpoints.db"][table]


def manifest_of(backup: Path) -> Manifest:
    with tarfile.open(backup) as archive:
        content = archive.extractfile(MANIFEST)
        assert content
        return Manifest.model_validate_json(content.read())


async def test_the_replaced_data_is_kept_aside_unless_told_otherwise(old: Settings, backup: Path) -> None:
    replaced = await restore(old, backup)
    assert marks(old) == ["new", "new", "new"]
    assert replaced.aside is not None
    assert replaced.aside.parent == old.data_dir
    assert marks(Settings(data_dir=replaced.aside)) == ["old", "old", "old"]
    assert (replaced.aside / "chroma" / "mark").read_text() == "old"
    again = await restore(old, backup, keep=False)
    assert again.aside is None
    assert [path.name for path in old.data_dir.glob("before-*")] == [replaced.aside.name]


Change = Callable[[dict[str, bytes], dict[str, Any]], None]


def repack(backup: Path, change: Change) -> None:
    """The same archive with other members or another manifest."""
    with tarfile.open(backup) as archive:
        members = {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive}
    manifest = json.loads(members.pop(MANIFEST))
    change(members, manifest)
    with tarfile.open(backup, "w:gz") as archive:
        for name, data in {MANIFEST: json.dumps(manifest).encode(), **members}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def lose(members: dict[str, bytes], _: dict[str, Any]) -> None:
    del members["checkpoints.db"]


def escape(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
    members["../escaped"] = members.pop("secret")
    manifest["parts"]["../escaped"] = manifest["parts"].pop("secret")


def smuggle(members: dict[str, bytes], _: dict[str, Any]) -> None:
    members["/etc/smuggled"] = members.pop("secret")


def swap(members: dict[str, bytes], _: dict[str, Any]) -> None:
    members["secret"] = members["secret"][::-1]


def swell(members: dict[str, bytes], _: dict[str, Any]) -> None:
    members["secret"] = members["secret"] * 1000


def renumber(_: dict[str, bytes], manifest: dict[str, Any]) -> None:
    manifest["format"] = 2


def empty(_: dict[str, bytes], manifest: dict[str, Any]) -> None:
    manifest["parts"] = {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lose, "lacks checkpoints.db|holds 'secret'"),
        (escape, "names .*escaped"),
        (smuggle, "'/etc/smuggled', which does not belong"),
        (swap, "secret is not what the backup's manifest says"),
        (swell, "secret is not what the backup's manifest says"),
        (renumber, r"its manifest cannot be read \(format\)"),
        (empty, "its manifest names"),
    ],
)
async def test_a_changed_backup_is_refused_and_nothing_is_touched(
    old: Settings, backup: Path, change: Change, words: str
) -> None:
    repack(backup, change)
    await refused(old, backup, InvalidError, words)


async def refused(settings: Settings, source: Path, kind: type[DeskhandError], words: str) -> None:
    before = content(settings.data_dir.parent)
    with pytest.raises(kind, match=words) as caught:
        await restore(settings, source)
    assert "\n" not in caught.value.detail
    assert content(settings.data_dir.parent) == before


def test_what_is_no_whole_archive_is_refused_and_nothing_is_touched(
    old: Settings, backup: Path, tmp_path: Path
) -> None:
    whole = backup.read_bytes()
    for size in (0, 20, len(whole) // 2, len(whole) - 40):
        backup.write_bytes(whole[:size])
        asyncio.run(refused(old, backup, InvalidError, "is no (whole )?backup of Deskhand"))
    backup.write_bytes(b"PK\x03\x04 a zip archive")
    asyncio.run(refused(old, backup, InvalidError, "is no whole backup of Deskhand"))
    with tarfile.open(backup, "w:gz") as archive:
        archive.add(old.data_dir / "secret", "secret")
    asyncio.run(refused(old, backup, InvalidError, "does not begin with manifest.json"))
    asyncio.run(refused(old, tmp_path / "nowhere.tar.gz", UnavailableError, "nowhere.tar.gz: No such file"))
    asyncio.run(refused(old, tmp_path, UnavailableError, "Is a directory"))


async def test_a_link_in_place_of_a_part_is_refused(old: Settings, backup: Path) -> None:
    manifest = manifest_of(backup).model_dump_json().encode()
    with tarfile.open(backup, "w:gz") as archive:
        entry, link = tarfile.TarInfo(MANIFEST), tarfile.TarInfo("deskhand.db")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    await refused(old, backup, InvalidError, "'deskhand.db', which does not belong")


async def test_a_backup_of_a_newer_schema_is_refused_and_nothing_is_touched(old: Settings, backup: Path) -> None:
    def age(_: dict[str, bytes], manifest: dict[str, Any]) -> None:
        manifest.update(revision="9999", deskhand="9.9")

    repack(backup, age)
    await refused(old, backup, SchemaError, "made by Deskhand 9.9 with the newer schema 9999: update Deskhand first")


async def test_a_backup_of_an_older_schema_is_migrated(old: Settings, tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    engine = create_engine(f"sqlite:///{tmp_path / 'older' / 'deskhand.db'}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    backup = back_up(Settings(data_dir=tmp_path / "older"), tmp_path / "older.tar.gz")
    assert manifest_of(backup).revision == "0001"
    await restore(old, backup)
    database = open_database(old.database_url)
    await database.check_schema()
    await database.close()
    assert not (old.data_dir / "checkpoints.db").exists()


async def test_while_anything_has_the_rows_open_nothing_is_restored(old: Settings, backup: Path) -> None:
    with rows_in_use(old):
        await refused(old, backup, UnavailableError, "a desk or a command is using the data folder .*: stop it first")
    await restore(old, backup)


def test_a_second_desk_on_the_folder_is_refused_and_commands_are_not(old: Settings) -> None:
    with running_desk(old), rows_in_use(old):
        with pytest.raises(UnavailableError, match=r"a desk runs on .* already"), running_desk(old):
            pass
        with rows_in_use(old):
            pass
    with running_desk(old):
        pass


def test_a_damaged_database_is_not_backed_up(old: Settings, tmp_path: Path) -> None:
    path = old.data_dir / "deskhand.db"
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 3 : 4096 * 12] = os.urandom(4096 * 9)
    path.write_bytes(damaged)
    with pytest.raises(UnavailableError, match=r"damaged|cannot be copied"):
        back_up(old, tmp_path / "backup.tar.gz")
    assert not (tmp_path / "backup.tar.gz").exists()


@pytest.mark.parametrize("act", ["backup", "restore"])
def test_killed_at_any_step_either_the_old_or_the_new_state_is_there(
    tmp_path: Path, template: Path, backup: Path, act: str
) -> None:
    seen = []
    steps = kill_at_every_step(tmp_path, template, backup, act)
    for folder in steps:
        settings = Settings(data_dir=folder / "data")
        if act == "backup":
            asyncio.run(restore(settings, folder / "backup.tar.gz", keep=False))
        found = marks(settings)
        assert found in (["old"] * 3, ["new"] * 3), folder.name
        seen.append(found[0])
        # The next try works, and leaves nothing of the killed one behind.
        again = folder / "backup.tar.gz" if act == "backup" else backup
        if act == "backup":
            back_up(settings, again, force=True)
        asyncio.run(restore(settings, again, keep=False))
        assert not [path.name for path in folder.rglob(".*")]
    assert seen[0] == "old"
    assert seen[-1] == "new"
    assert len(seen) > 8


def kill_at_every_step(tmp_path: Path, template: Path, backup: Path, act: str) -> list[Path]:
    """A folder per step: as a process left it that was killed before that step."""
    spoiled = tmp_path / "steps"
    spoiled.mkdir()
    run = [
        sys.executable,
        "-m",
        "tests.contract.operations.dying_backup",
        act,
        str(spoiled),
        str(template),
        str(backup),
    ]
    died = subprocess.run(run, check=False, capture_output=True, text=True)  # noqa: S603 - this project's own module
    assert died.returncode == 0, died.stderr
    return sorted(spoiled.iterdir(), key=lambda folder: int(folder.name))
