"""Who works in a workspace: roles, removals, and what stays of who has left."""

import asyncio

import pytest

from storage.conversations.intake import Accepted
from storage.errors import NotAllowedError, NotFoundError, NotLoggedInError
from storage.records import (
    Author,
    ConversationStatus,
    Incoming,
    Member,
    Mode,
    Place,
    Role,
    new_id,
)
from storage.store import Store
from tests.support.passwords import PASSWORD
from tests.support.rows import audit_trail

SENTENCE = "Ada Admin removed Alex Agent from the team: nobody has this conversation now."


@pytest.fixture
async def second_admin(store: Store) -> Member:
    return await store.accounts.members.add("demo", "bo@demo.example", "Bo Boss", Role.ADMIN, PASSWORD)


async def wrote(store: Store, thread: str = "t") -> Accepted:
    incoming = Incoming(
        workspace_id="demo",
        channel="web",
        external_id=new_id(),
        thread=thread,
        customer_external_id=thread,
        text="Is anybody there?",
    )
    return await store.conversations.intake.accept(incoming, gather_seconds=0)


async def test_a_new_role_ends_the_logins_and_holds_from_the_next_one_on(
    store: Store, agent: Member, admin: Member
) -> None:
    token = await store.accounts.tokens.for_member(agent)
    changed = await store.accounts.membership.change_role(admin, agent.id, Role.ADMIN)
    assert changed.role is Role.ADMIN
    with pytest.raises(NotLoggedInError):
        await store.accounts.tokens.member(token)
    assert (await store.accounts.tokens.member(await store.accounts.tokens.for_member(agent))).role is Role.ADMIN
    assert (await store.accounts.membership.change_role(admin, agent.id, Role.AGENT)).role is Role.AGENT


async def test_nobody_changes_or_removes_themself(store: Store, admin: Member, second_admin: Member) -> None:
    with pytest.raises(NotAllowedError, match="your own role: ask another admin"):
        await store.accounts.membership.change_role(admin, admin.id, Role.AGENT)
    with pytest.raises(NotAllowedError, match="cannot remove yourself: ask another admin"):
        await store.accounts.membership.remove(admin, admin.id)
    assert {member.id for member in await store.accounts.members.all("demo")} == {admin.id, second_admin.id}


async def test_two_admins_who_remove_each_other_at_once_leave_one(
    store: Store, admin: Member, second_admin: Member
) -> None:
    ended = await asyncio.gather(
        store.accounts.membership.remove(admin, second_admin.id),
        store.accounts.membership.remove(second_admin, admin.id),
        return_exceptions=True,
    )
    assert sorted(type(end).__name__ for end in ended) == ["NotAllowedError", "tuple"]
    assert len(await store.accounts.members.all("demo")) == 1


async def test_only_an_admin_of_the_workspace_changes_its_members(store: Store, agent: Member, admin: Member) -> None:
    await store.accounts.workspaces.create("other", "Other")
    stranger = await store.accounts.members.add("other", "sam@other.example", "Sam", Role.ADMIN, PASSWORD)
    with pytest.raises(NotAllowedError):
        await store.accounts.membership.remove(agent, admin.id)
    with pytest.raises(NotFoundError):
        await store.accounts.membership.remove(stranger, agent.id)
    with pytest.raises(NotFoundError):
        await store.accounts.membership.change_role(stranger, agent.id, Role.ADMIN)
    assert len(await store.accounts.members.all("demo")) == 2


async def test_who_is_removed_is_out_at_once_everywhere(store: Store, agent: Member, admin: Member) -> None:
    token = await store.accounts.tokens.for_member(agent)
    await store.channels.identities.link("demo", agent.id, "slack", "T1/U1")
    await store.accounts.membership.remove(admin, agent.id)
    with pytest.raises(NotLoggedInError):
        await store.accounts.tokens.member(token)
    with pytest.raises(NotLoggedInError):
        await store.accounts.members.log_in(agent.email, PASSWORD)
    with pytest.raises(NotFoundError):
        await store.accounts.accounts.reset_password("demo", agent.email, PASSWORD)
    with pytest.raises(NotFoundError):
        await store.channels.identities.link("demo", agent.id, "slack", "T1/U1")
    assert await store.channels.identities.member("demo", "slack", "T1/U1") is None
    assert await store.accounts.members.all("demo") == [admin]


async def test_what_a_removed_member_had_waits_for_anybody_and_what_they_wrote_stays(
    store: Store, agent: Member, admin: Member
) -> None:
    accepted = await wrote(store)
    untouched = await wrote(store, "u")
    await store.conversations.actions.take_over(agent, accepted.conversation_id)
    await store.conversations.actions.reply(agent, accepted.conversation_id, "I am looking.")
    assert await store.accounts.membership.remove(admin, agent.id) == (accepted.conversation_id,)
    conversation = await store.conversations.reading.read("demo", accepted.conversation_id)
    assert (conversation.status, conversation.assignee_id) == (ConversationStatus.ASSIGNED, None)
    said = await store.conversations.messages.of_conversation("demo", accepted.conversation_id, internal=True)
    assert [message.member_name for message in said if message.author is Author.AGENT] == ["Alex Agent"]
    assert said[-1].text == SENTENCE
    kinds = [event.kind for event in await audit_trail(store, "demo", accepted.conversation_id)]
    assert kinds[-1] == "conversation.unassigned"
    assert (
        len(await store.conversations.messages.of_conversation("demo", untouched.conversation_id, internal=True)) == 1
    )
    with pytest.raises(NotFoundError):
        await store.conversations.actions.assign(admin, accepted.conversation_id, agent.id)


async def test_what_was_under_way_when_a_member_left_is_nobody_s(store: Store, agent: Member, admin: Member) -> None:
    accepted = await wrote(store)
    await store.accounts.membership.remove(admin, agent.id)
    await store.conversations.actions.take_over(agent, accepted.conversation_id)
    conversation = await store.conversations.reading.read("demo", accepted.conversation_id)
    assert (conversation.assignee_id, conversation.assignee_name) == (None, None)


async def test_who_comes_back_keeps_what_they_wrote_and_no_old_login(
    store: Store, agent: Member, admin: Member
) -> None:
    token = await store.accounts.tokens.for_member(agent)
    await store.accounts.membership.remove(admin, agent.id)
    back = await store.accounts.members.add("demo", agent.email, "Alexa Agent", Role.ADMIN, "another long password")
    assert (back.id, back.name, back.role) == (agent.id, "Alexa Agent", Role.ADMIN)
    with pytest.raises(NotLoggedInError):
        await store.accounts.tokens.member(token)
    assert await store.accounts.members.log_in(agent.email, "another long password") == [back]


async def test_a_conversation_knows_since_when_its_customer_waits(store: Store, agent: Member) -> None:
    accepted = await wrote(store)
    first = (await store.conversations.reading.read("demo", accepted.conversation_id)).waiting_since
    await wrote(store)
    await store.conversations.actions.hand_to_person("demo", accepted.conversation_id, because="Asked.", notice="Wait.")
    assert first is not None
    assert (await store.conversations.reading.read("demo", accepted.conversation_id)).waiting_since == first
    await store.conversations.actions.reply(agent, accepted.conversation_id, "Hello.")
    assert (await store.conversations.reading.read("demo", accepted.conversation_id)).waiting_since is None


async def test_the_latest_messages_are_read_in_order(store: Store) -> None:
    accepted = await wrote(store)
    for _ in range(4):
        await wrote(store)
    latest = await store.conversations.messages.latest("demo", accepted.conversation_id, 3)
    assert [message.seq for message in latest] == [3, 4, 5]


async def test_places_and_links_are_listed_and_removed(store: Store, agent: Member) -> None:
    await store.channels.identities.link("demo", agent.id, "discord", "42")
    (identity,) = await store.channels.identities.all("demo")
    assert (identity.member, identity.channel, identity.external_id) == (agent, "discord", "42")
    assert await store.channels.identities.all("other") == []
    await store.channels.identities.unlink("other", "discord", "42")
    assert len(await store.channels.identities.all("demo")) == 1
    await store.channels.identities.unlink("demo", "discord", "42")
    assert await store.channels.identities.all("demo") == []
    await store.channels.places.keep(Place("demo", "discord", "7", "8", mode=Mode.AUTO))
    await store.channels.places.remove("other", "discord", "8")
    assert len(await store.channels.places.all("demo")) == 1
    await store.channels.places.remove("demo", "discord", "8")
    assert await store.channels.places.all("demo") == []
