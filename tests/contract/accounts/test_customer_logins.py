"""Customers' logins: the limit counts an attempt before its password is hashed."""

import asyncio
from collections import Counter

from starlette.requests import Request
from starlette.responses import Response

from bot.web.customers import CustomerRoutes
from bot.web.schemas import CustomerLoginBody
from storage.errors import NotLoggedInError, TooManyAttemptsError
from storage.store import Store

ATTEMPTS = 10


async def test_of_sixty_wrong_passwords_side_by_side_only_as_many_as_the_limit_are_looked_at(store: Store) -> None:
    routes = CustomerRoutes(store)
    request = Request({"type": "http", "headers": [], "client": ("192.0.2.1", 1)})
    wrong = CustomerLoginBody(email="cleo@mail.example", password="not the password")
    answers = await asyncio.gather(
        *(routes.log_in("demo", wrong, request, Response()) for _ in range(60)), return_exceptions=True
    )
    assert Counter(type(answer) for answer in answers) == {NotLoggedInError: ATTEMPTS, TooManyAttemptsError: 50}
