"""What a page's script asks is checked before anything is done, and every error comes back as data."""

from typing import Any, cast

import gradio as gr
import pytest
from pydantic import BaseModel

from storage.errors import NotAllowedError, NotFoundError, NotLoggedInError
from storage.records import Member, Role
from workbench.ui.server_functions import OUTDATED_PAGE, Identify, Notice, Payload, action_function, refresh_function

ANNA = Member("anna", "w", "anna@x.example", "Anna", Role.AGENT)
REQUEST = cast("gr.Request", object())


class Asked(BaseModel):
    amount: int


async def anna(_: gr.Request) -> Member:
    return ANNA


async def nobody(_: gr.Request) -> Member:
    raise NotLoggedInError


async def no_admin(_: gr.Request) -> Member:
    raise NotAllowedError("Only admins may do this.")


async def view(member: Member, asked: Asked) -> Payload:
    return {"seen": f"{member.name} {asked.amount}"}


async def double(_: Member, asked: Asked) -> Notice:
    if not asked.amount:
        raise NotFoundError("There is nothing to double.")
    return Notice(f"{2 * asked.amount}")


@pytest.mark.parametrize(
    ("identify", "asked", "answer"),
    [
        (anna, {"amount": 1}, {"seen": "Anna 1"}),
        (nobody, {"amount": 1}, {"login": True}),
        (no_admin, {"amount": 1}, {"error": "Only admins may do this."}),
        (anna, {"amount": "much"}, {"error": OUTDATED_PAGE}),
    ],
)
async def test_a_refresh_answers_with_the_view_or_with_what_is_wrong(
    identify: Identify, asked: Payload, answer: Payload
) -> None:
    assert await refresh_function(identify, Asked, view)(asked, REQUEST) == answer


@pytest.mark.parametrize(
    ("identify", "asked", "answer"),
    [
        (anna, {"amount": 2}, {"text": "4", "ok": True}),
        (nobody, {"amount": 2}, {"login": True}),
        (no_admin, {"amount": 2}, {"text": "Only admins may do this.", "ok": False}),
        (anna, {"amount": 0}, {"text": "There is nothing to double.", "ok": False}),
        (anna, {}, {"text": OUTDATED_PAGE, "ok": False}),
    ],
)
async def test_an_action_answers_with_a_notice(identify: Identify, asked: Payload, answer: Payload) -> None:
    assert await action_function(identify, Asked, double)(asked, REQUEST) == answer


async def test_a_page_may_word_errors_itself() -> None:
    def explain(_: Any) -> str:
        return "Nothing was sent."

    act = action_function(anna, Asked, double, explain)
    assert await act({"amount": 0}, REQUEST) == {"text": "Nothing was sent.", "ok": False}
