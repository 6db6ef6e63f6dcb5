"""Files in Slack messages: small text-like ones are downloaded with the bot's token, the others stay links."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.attachments import MAX_READ_BYTES, decode_text, is_readable
from bot.slack.errors import SLACK_UNREACHABLE
from bot.slack.installations import SlackTeam
from storage.records import Attachment

DOWNLOAD_SECONDS = 1.5
"""All files of a message together: Slack waits three seconds for the acknowledgement."""
File = dict[str, Any]


class SlackFiles:
    """Reads what a message brings along."""

    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        self._api_host = urlsplit(api_url).hostname

    async def attachments(self, team: SlackTeam, files: Sequence[File]) -> tuple[Attachment, ...]:
        """The message's files, read as far as there is time for it."""
        if not files:
            return ()
        try:
            async with asyncio.timeout(DOWNLOAD_SECONDS):
                return tuple([await self._read(team, file) for file in files])
        except TimeoutError:
            return tuple(map(_attachment, files))

    async def _read(self, team: SlackTeam, file: File) -> Attachment:
        attachment = _attachment(file)
        url = file.get("url_private_download") or file.get("url_private") or ""
        if not url or not is_readable(attachment.name, attachment.media_type, attachment.size):
            return attachment
        try:
            content = await self._download(team, url)
        except SLACK_UNREACHABLE:
            return attachment
        text = decode_text(content)
        return Attachment(attachment.name, attachment.url, attachment.media_type, attachment.size, text)

    async def _download(self, team: SlackTeam, url: str) -> bytes:
        """The content of a small file; the token goes to Slack's own hosts only. Raises aiohttp.ClientError."""
        host = urlsplit(url).hostname or ""
        if host != self._api_host and not host.endswith(".slack.com"):
            return b"\0"
        headers = {"Authorization": f"Bearer {team.client.token}"}
        async with self._session.get(url, headers=headers, raise_for_status=True) as answer:
            if answer.content_type == "text/html" and "html" not in url:
                # Without the scope files:read Slack answers with its log-in page.
                return b"\0"
            return await answer.content.read(MAX_READ_BYTES)


def _attachment(file: File) -> Attachment:
    return Attachment(
        name=file.get("name") or "file",
        url=file.get("permalink") or file.get("url_private") or "",
        media_type=file.get("mimetype") or "",
        size=int(file.get("size") or 0),
    )
