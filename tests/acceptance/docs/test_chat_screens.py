"""The pictures in the documentation: drawn from what was really sent, and from nothing that the renderer skips."""

import re
import struct
from pathlib import Path

import pytest

from docs.tools.pictures.block_kit import BlockKit
from docs.tools.pictures.discord_page import DiscordPage
from docs.tools.pictures.discord_scenes import discord_pictures
from docs.tools.pictures.parts import Payload, UnknownPartError
from docs.tools.pictures.slack_scenes import slack_pictures

DOCS = Path(__file__).parents[3] / "docs"
PNG = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 150_000
TEXT = {"type": "mrkdwn", "text": "Hello"}
EMBED = {"type": "rich", "title": "Hello"}


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_every_block_that_the_stories_send_is_drawn_and_each_story_has_its_picture_in_the_docs(
    platform: str, tmp_path: Path
) -> None:
    """The renderer raises UnknownPartError at a block, element, component or key that it does not draw."""
    tell = slack_pictures if platform == "slack" else discord_pictures
    told = await tell(tmp_path)
    page = (DOCS / f"{platform}.md").read_text(encoding="utf-8")
    assert {picture.name for picture in told} == set(re.findall(rf"\(images/({platform}-[a-z-]+)\.png\)", page))
    for picture in told:
        assert picture.page.count("<b>") > 1 or "modal" in picture.page
        content = (DOCS / "images" / f"{picture.name}.png").read_bytes()
        assert content.startswith(PNG)
        assert len(content) < MAX_BYTES
        assert struct.unpack(">I", content[16:20])[0] == picture.width, "taken anew: make chat-screens"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "video"},
        {"type": "section", "text": TEXT, "fields": [TEXT]},
        {"type": "section", "text": TEXT, "accessory": {"type": "overflow"}},
        {"type": "context", "elements": [{"type": "image"}]},
        {"type": "actions", "elements": [{"type": "datepicker"}]},
    ],
)
def test_a_block_that_slacks_renderer_does_not_know_is_refused(block: Payload) -> None:
    kit = BlockKit({})
    assert "Hello" in kit.blocks([{"type": "section", "text": TEXT}])
    with pytest.raises(UnknownPartError):
        kit.blocks([block])


@pytest.mark.parametrize(
    "part",
    [
        {"components": [{"type": 1, "components": [{"type": 3}]}]},
        {"components": [{"type": 17}]},
        {"embeds": [{**EMBED, "image": {"url": "https://x.example"}}]},
        {"embeds": [{**EMBED, "fields": [{"name": "a", "value": "b", "new": 1}]}]},
    ],
)
def test_a_component_or_embed_that_discords_renderer_does_not_know_is_refused(part: Payload) -> None:
    page = DiscordPage({"1": "Deskhand"}, "1")
    known: Payload = {"author": {"id": "1"}, "content": "", "embeds": [EMBED], "components": []}
    assert "Hello" in page.message(known)
    with pytest.raises(UnknownPartError):
        page.message({**known, **part})


def test_slacks_marks_are_drawn_as_slack_draws_them() -> None:
    drawn = BlockKit({"U1": "Ann"}).text(
        "*bold* _it_ `a*b*c`\n> quoted <https://x.example|here> <@U1>\n```\nx * y\n```"
    )
    assert "<b>bold</b> <i>it</i> <code>a*b*c</code>" in drawn
    assert '<blockquote><div class="line">quoted <a>here</a> <span class="mention">@Ann</span>' in drawn
    assert "<pre>x * y</pre>" in drawn
