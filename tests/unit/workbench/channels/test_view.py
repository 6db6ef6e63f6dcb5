"""What the Channels page reads and says: ids and addresses, errors with advice, who a team belongs to."""

from datetime import UTC, datetime

import pytest

from storage.channels.identities import Identity
from storage.errors import InvalidError
from storage.records import (
    ChannelName,
    ChannelState,
    Installation,
    Member,
    Mode,
    Place,
    Role,
)
from storage.settings import Settings
from workbench.channels.ids import ChatName, parse_place, parse_user
from workbench.channels.status_view import (
    DEFAULT_ADVICE,
    advice_on,
    setup_guides,
    states_html,
)
from workbench.channels.view import (
    choices_html,
    people_html,
    places_html,
    teams_html,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ALL_DRAFT: dict[ChannelName, Mode] = {"slack": Mode.DRAFT, "discord": Mode.DRAFT, "web": Mode.DRAFT}


@pytest.mark.parametrize(
    ("channel", "text", "place"),
    [
        ("slack", "T012AB/C034CD", ("T012AB", "C034CD")),
        ("slack", " https://app.slack.com/client/T012AB/C034CD/thread/C034CD-17.1 ", ("T012AB", "C034CD")),
        ("slack", "C034CD", ("T1", "C034CD")),
        ("discord", "110/220", ("110", "220")),
        ("discord", "https://discord.com/channels/110/220", ("110", "220")),
        ("discord", "https://ptb.discord.com/channels/110/220/330", ("110", "220")),
        ("discord", "220", ("T1", "220")),
    ],
)
def test_a_place_is_read_from_ids_or_an_address(channel: ChatName, text: str, place: tuple[str, str]) -> None:
    assert parse_place(channel, text, {"T1"}) == place


@pytest.mark.parametrize("text", ["", "support", "#support", "T012AB", "t012ab/c034cd", "https://evil.example/T1/C1"])
def test_what_is_no_place_says_what_to_write(text: str) -> None:
    with pytest.raises(InvalidError, match="T012AB/C034CD"):
        parse_place("slack", text, {"T1"})


def test_a_channel_alone_needs_one_known_team() -> None:
    for teams in ((), ("T1", "T2")):
        with pytest.raises(InvalidError, match="not clear which team"):
            parse_place("slack", "C034CD", teams)
        with pytest.raises(InvalidError, match="not clear which team"):
            parse_user("slack", "U034CD", teams)


def test_a_user_is_read_from_ids() -> None:
    assert parse_user("slack", "T012AB/U034CD", ()) == "T012AB/U034CD"
    assert parse_user("slack", "W034CD", {"T1"}) == "T1/W034CD"
    assert parse_user("discord", " 42 ", ()) == "42"
    wrong: tuple[tuple[ChatName, str], ...] = (("slack", "@anna"), ("discord", "anna"), ("discord", "1/2"))
    for channel, text in wrong:
        with pytest.raises(InvalidError, match="user"):
            parse_user(channel, text, {"T1"})


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("Slack refused it: invalid_auth: check SLACK_BOT_TOKEN", "Copy the Bot User OAuth Token again"),
        ("Slack refused it: not_allowed_token_type: check SLACK_APP_TOKEN", "`connections:write`"),
        ("Discord cannot be reached: TimeoutError", "tries again by itself"),
        ("Slack does not answer (TimeoutError)", "tries again by itself"),
        ("403 Forbidden (error code: 50013): Missing Permissions", "docs/discord.md, step 1"),
        ("Something quite new", DEFAULT_ADVICE),
    ],
)
def test_every_error_comes_with_what_to_do(error: str, advice: str) -> None:
    assert advice in advice_on(error)


def test_what_is_missing_is_named_and_what_runs_elsewhere_is_not_called_missing() -> None:
    bare = setup_guides(Settings())
    assert (bare["slack"].missing, bare["discord"].missing) == (
        ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"),
        ("DISCORD_BOT_TOKEN",),
    )
    given = {"slack": {"bot_token": "x", "signing_secret": "y"}, "discord": {"bot_token": "z"}}
    ready = setup_guides(Settings.model_validate(given))
    assert (ready["slack"].missing, ready["discord"].missing) == ((), ())
    assert "deskhand bot" in states_html((), ready, ALL_DRAFT, "/chat")
    running = ChannelState("discord", is_on=True, connected_since=NOON)
    html = states_html((running,), bare, ALL_DRAFT, "/chat")
    assert "DISCORD_BOT_TOKEN" not in html
    assert NOON.isoformat() in html


def test_what_people_named_is_text_on_the_page() -> None:
    attack = "<script>x</script>\"'><img src=x>"
    member = Member(attack, "w", attack, attack, Role.AGENT)
    failed = ChannelState("slack", last_error=attack)
    parts = (
        places_html([Place("w", "slack", attack, attack, attack)], [1]),
        people_html([Identity(member, "slack", attack)]),
        teams_html([Installation("w", "slack", attack, name=attack)], may_invite=True),
        choices_html([member]),
        states_html((failed,), setup_guides(Settings()), ALL_DRAFT, attack),
    )
    for html in parts:
        assert "<script>" not in html
        assert "<img" not in html


def test_forums_of_the_configuration_are_listed_once() -> None:
    listed = places_html([Place("w", "discord", "1", "2", "help", mode=Mode.DRAFT)], [2, 3])
    assert listed.count("config.yaml</span>") == 1
    assert "<b>3</b>" in listed


def test_without_add_to_slack_the_page_says_what_to_set() -> None:
    assert "SLACK_CLIENT_SECRET" in teams_html([], may_invite=False)
    assert "SLACK_CLIENT_SECRET" not in teams_html([], may_invite=True)


def test_a_place_shows_the_one_mode_that_it_has() -> None:
    for mode, value in ((None, ""), (Mode.OFF, "off"), (Mode.AUTO, "auto")):
        html = places_html([Place("w", "slack", "T1", "C1", "help", mode=mode)])
        assert html.count(" selected") == 1
        assert f'<option value="{value}" selected>' in html


def test_a_place_is_named_by_its_name_or_else_by_its_id_and_says_where_it_is() -> None:
    named = places_html([Place("w", "slack", "T1", "C1", "help")])
    assert "<b>help</b>" in named
    assert '<div class="dh-muted">T1/C1</div>' in named
    bare = places_html([Place("w", "slack", "", "C1")])
    assert "<b>C1</b>" in bare
    assert '<div class="dh-muted">C1</div>' in bare


def test_only_a_place_of_the_staff_is_ticked() -> None:
    assert " checked>" in places_html([Place("w", "slack", "T1", "C1", is_staff=True)])
    assert " checked>" not in places_html([Place("w", "slack", "T1", "C1")])


def test_a_slack_place_of_the_same_number_hides_no_channel_of_the_configuration() -> None:
    html = places_html([Place("w", "slack", "T1", "2", "help")], [2])
    assert html.count("config.yaml</span>") == 1


def test_every_part_of_a_page_that_is_empty_says_what_to_do() -> None:
    assert "No places yet" in places_html([])
    assert "Nobody is linked yet" in people_html([])
    assert "None was added by a link" in teams_html([], may_invite=True)
    assert "None was added by a link" not in teams_html([Installation("w", "slack", "T1")], may_invite=True)


def test_a_team_without_a_name_is_called_by_its_id() -> None:
    assert "<b>T1</b>" in teams_html([Installation("w", "slack", "T1")], may_invite=False)
    assert "<b>Acme</b>" in teams_html([Installation("w", "slack", "T1", name="Acme")], may_invite=False)
