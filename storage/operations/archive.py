"""A backup's archive, a `.tar.gz`: the manifest first, then the parts that it names, each with its SHA-256."""

import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, Protocol

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from storage.errors import InvalidError, UnavailableError

MANIFEST = "manifest.json"
ROWS = "deskhand.db"
PARTS = (ROWS, "checkpoints.db", "secret")
"""Everything that is kept and cannot be made again; a desk may lack all but the rows."""
MAX_MANIFEST_BYTES = 1_000_000
"""Bytes."""
BLOCK_BYTES = 1 << 20
COMPRESSION_LEVEL = 6
"""gzip's: half the time of its default for 2 % more."""
ArchiveProgress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


class Part(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True)

    bytes: NonNegativeInt
    sha256: str


class Manifest(BaseModel):
    """What a backup holds and where it comes from."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    deskhand: str
    """The version that made it."""
    revision: str
    """The schema's newest migration."""
    made_at: datetime
    """UTC; everything committed before it is there."""
    rows: dict[str, dict[str, int]]
    """The number of rows by part and table."""
    parts: dict[str, Part]


def pack(folder: Path, manifest: Manifest, target: IO[bytes], progress: ArchiveProgress | None = None) -> None:
    """Write the manifest and the parts that it names, which are in this folder."""
    done, total = 0, sum(part.bytes for part in manifest.parts.values())
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=COMPRESSION_LEVEL) as archive:
        text = manifest.model_dump_json(indent=2).encode()
        archive.addfile(_tar_entry(MANIFEST, len(text), manifest.made_at), io.BytesIO(text))
        for name, part in manifest.parts.items():
            with (folder / name).open("rb") as file:
                archive.addfile(_tar_entry(name, part.bytes, manifest.made_at), file)
            done += part.bytes
            if progress:
                progress(done, total)


def unpack(source: Path, folder: Path, progress: ArchiveProgress | None = None) -> Manifest:
    """Write the parts into this folder, each checked against the manifest.

    Raises InvalidError for anything that is not a whole backup, UnavailableError if it cannot be read or written.
    """
    with _translating_errors(source), tarfile.open(source, "r:gz") as archive:
        manifest = _read_manifest(source, archive)
        total = sum(part.bytes for part in manifest.parts.values())
        done, missing = 0, set(manifest.parts)
        while missing:
            member = archive.next()
            if member is None:
                raise InvalidError(f"{source} lacks {', '.join(sorted(missing))}")
            if member.name not in missing or not member.isreg():
                raise InvalidError(f"{source} holds {member.name!r}, which does not belong into a backup")
            missing.remove(member.name)
            _extract(_open_member(archive, member), folder / member.name, manifest.parts[member.name])
            done += member.size
            if progress:
                progress(done, total)
    return manifest


def part_of(path: Path) -> Part:
    """A file's size and hash."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(bytes=path.stat().st_size, sha256=digest)


def _read_manifest(source: Path, archive: tarfile.TarFile) -> Manifest:
    member = archive.next()
    if member is None or member.name != MANIFEST or not member.isreg() or member.size > MAX_MANIFEST_BYTES:
        raise InvalidError(f"{source} is no backup of Deskhand: it does not begin with {MANIFEST}")
    try:
        manifest = Manifest.model_validate_json(_open_member(archive, member).read(MAX_MANIFEST_BYTES))
    except ValidationError as error:
        key = ".".join(map(str, error.errors()[0]["loc"]))
        raise InvalidError(f"{source}: its manifest cannot be read ({key}): {error.errors()[0]['msg']}") from error
    if ROWS not in manifest.parts or not set(manifest.parts) <= set(PARTS):
        raise InvalidError(f"{source}: its manifest names {', '.join(manifest.parts)} instead of {', '.join(PARTS)}")
    return manifest


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _open_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> _Readable:
    content = archive.extractfile(member)
    if content is None:
        raise InvalidError(f"{member.name!r} is no file")
    return content


def _extract(content: _Readable, target: Path, part: Part) -> None:
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        target.chmod(0o600)
        while block := content.read(BLOCK_BYTES):
            size += len(block)
            if size > part.bytes:
                break
            digest.update(block)
            file.write(block)
    if size != part.bytes or digest.hexdigest() != part.sha256:
        raise InvalidError(f"{target.name} is not what the backup's manifest says: it was damaged or changed")


def _tar_entry(name: str, size: int, made_at: datetime) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(made_at.timestamp())
    return entry


@contextmanager
def _translating_errors(source: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise InvalidError(f"{source} is no whole backup of Deskhand: {error}") from error
    except OSError as error:
        # gzip's own errors have no number.
        if error.errno is None:
            raise InvalidError(f"{source} is no whole backup of Deskhand: {error}") from error
        raise UnavailableError(f"{error.filename or source}: {error.strerror}") from error
