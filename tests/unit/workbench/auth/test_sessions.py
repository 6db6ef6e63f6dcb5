"""What counts as the same site."""

import pytest
from starlette.requests import HTTPConnection

from workbench.auth.sessions import is_same_site


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"host": "desk.example", "origin": "https://desk.example"}, True),
        ({"host": "desk.example", "origin": "https://evil.example"}, False),
        ({"host": "desk.example", "origin": "null"}, False),
    ],
)
def test_a_request_of_another_site_is_told_from_our_own(headers: dict[str, str], same: bool) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert is_same_site(HTTPConnection({"type": "http", "headers": raw})) is same
