"""A page that refreshes itself gets only the parts that it does not show yet."""

from workbench.ui.partials import changed_parts

PARTS = {"queue": "<p>one</p>", "head": "<h2>Ada</h2>"}


def test_a_page_that_shows_nothing_gets_every_part() -> None:
    assert changed_parts(PARTS, {})["parts"] == PARTS


def test_what_the_page_shows_already_is_not_sent_again_but_its_key_is() -> None:
    keys = changed_parts(PARTS, {})["keys"]
    again = changed_parts(PARTS, keys)
    assert again == {"parts": {}, "keys": keys}


def test_only_the_part_that_changed_is_sent() -> None:
    keys = changed_parts(PARTS, {})["keys"]
    changed = changed_parts({**PARTS, "head": "<h2>Bob</h2>"}, keys)
    assert changed["parts"] == {"head": "<h2>Bob</h2>"}
    assert changed["keys"]["queue"] == keys["queue"]
    assert changed["keys"]["head"] != keys["head"]
