"""Bounded upload: one file of a multipart form, never more of it than is allowed."""

from collections.abc import AsyncGenerator
from pathlib import PurePosixPath

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from storage.errors import InvalidError, TooLargeError

BYTES_PER_MB = 1024 * 1024
FORM_OVERHEAD_BYTES = 64 * 1024
"""What the form around the file may take up."""


async def receive_file(request: Request, most: int) -> tuple[str, bytes]:
    """The name and content of the form's field `file`, of at most `most` bytes.

    Raises TooLargeError as soon as more has come, and InvalidError if the body is no such form.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidError("Send the file as multipart/form-data, in the field `file`.")
    stream = _bounded_stream(request, most)
    try:
        form = await MultiPartParser(request.headers, stream, max_files=1, max_fields=8).parse()
    except MultiPartException as error:
        raise InvalidError(f"The form cannot be read: {error.message}") from error
    try:
        return await _file_of(form, most)
    finally:
        await form.close()


async def _file_of(form: FormData, most: int) -> tuple[str, bytes]:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise InvalidError("Send the file as multipart/form-data, in the field `file`.")
    content = await file.read()
    if len(content) > most:
        raise _too_large(most)
    return _base_name(file.filename), content


async def _bounded_stream(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    read = 0
    async for part in request.stream():
        read += len(part)
        if read > most + FORM_OVERHEAD_BYTES:
            raise _too_large(most)
        yield part


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"The file is larger than {most / BYTES_PER_MB:g} MB.")


def _base_name(filename: str) -> str:
    """Without folders: some browsers send the whole path."""
    return PurePosixPath(filename.replace("\x00", "").replace("\\", "/")).name or "file"
