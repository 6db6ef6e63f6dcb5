"""Takes the pictures of Slack and Discord in docs/images from what the desk really sent: `make chat-screens`."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import Browser, ViewportSize

from docs.tools.pictures.discord_scenes import discord_pictures
from docs.tools.pictures.parts import Picture
from docs.tools.pictures.slack_scenes import slack_pictures
from docs.tools.screenshots import IMAGES, browser

STORIES: tuple[Callable[[Path], Awaitable[list[Picture]]], ...] = (slack_pictures, discord_pictures)


async def main() -> None:
    """Tell every story, then photograph it."""
    pictures: list[Picture] = []
    for tell in STORIES:
        with tempfile.TemporaryDirectory() as folder:
            pictures += await tell(Path(folder))
    async with browser() as chrome:
        for picture in pictures:
            await photograph(chrome, picture)


async def photograph(chrome: Browser, picture: Picture) -> None:
    """The whole page, as wide as it says and as high as it is."""
    page = await chrome.new_page(viewport=ViewportSize(width=picture.width, height=200))
    await page.set_content(picture.page)
    await page.screenshot(path=IMAGES / f"{picture.name}.png", full_page=True)
    await page.close()


if __name__ == "__main__":
    asyncio.run(main())
