"""What the chat channels keep, on SQLite and PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from storage.channels.encryption import SecretBox
from storage.channels.installations import Installations
from storage.database.tables import deployment, installations
from storage.errors import ConflictError, NotFoundError, SettingsError, UnboundTeamError
from storage.records import (
    Attachment,
    Author,
    ConversationStatus,
    Decision,
    DecisionKind,
    Incoming,
    Installation,
    Member,
    Mode,
    Place,
    ReviewStatus,
    new_id,
)
from storage.store import Store
from storage.turns.begin import TurnWork
from storage.turns.result import CommitResult
from tests.contract.desk.test_turns import proposal, texts
from tests.support.rows import database_of

STAFF = Place("demo", "slack", "T1", "C-staff", "staff", is_staff=True)


def incoming(text: str, external_id: str = "", place: str = "C1") -> Incoming:
    return Incoming(
        workspace_id="demo",
        channel="slack",
        external_id=external_id or new_id(),
        thread="T1/C1/1",
        customer_external_id="T1/U1",
        text=text,
        place=place,
    )


async def begun(store: Store, turn_id: str | None) -> TurnWork:
    assert turn_id
    work = await store.conversations.turns.begin(turn_id)
    assert isinstance(work, TurnWork)
    return work


async def held(store: Store, text: str, external_id: str) -> TurnWork:
    accepted = await store.conversations.intake.accept(incoming(text, external_id))
    work = await begun(store, accepted.turn_id)
    assert await store.conversations.completion.hold(proposal(work)) is CommitResult.COMMITTED
    return work


async def test_an_edited_message_that_waits_is_drafted_again_as_it_reads_now(store: Store) -> None:
    work = await held(store, "How do I rest?", "m1")
    corrected = await store.conversations.edits.edit(incoming("How do I reset?", "m1"))
    assert corrected
    review = await store.conversations.reviews.of_conversation("demo", work.conversation_id)
    assert review
    assert review.status is ReviewStatus.SUPERSEDED
    assert (await begun(store, corrected.turn_id)).question == "How do I reset?"


async def test_an_edit_that_changes_no_word_changes_nothing(store: Store) -> None:
    await held(store, "How do I reset?", "m1")
    assert await store.conversations.edits.edit(incoming("How do I reset?", "m1")) is None


async def test_a_turn_that_read_the_old_words_is_dropped(store: Store) -> None:
    accepted = await store.conversations.intake.accept(incoming("How do I rest?", "m1"))
    work = await begun(store, accepted.turn_id)
    corrected = await store.conversations.edits.edit(incoming("How do I reset?", "m1"))
    assert corrected
    assert await store.conversations.completion.send(proposal(work)) is CommitResult.DROPPED
    assert corrected.turn_id != work.turn_id


async def test_an_edit_of_an_answered_message_is_kept_and_answers_nothing(store: Store) -> None:
    accepted = await store.conversations.intake.accept(incoming("How do I reset?", "m1"))
    work = await begun(store, accepted.turn_id)
    await store.conversations.completion.send(proposal(work))
    corrected = await store.conversations.edits.edit(incoming("How do I reset it?", "m1"))
    assert corrected
    assert corrected.turn_id is None
    assert ("customer", "How do I reset it?") in await texts(store, work.conversation_id)


async def test_a_deleted_message_is_not_answered_and_its_words_are_gone(store: Store) -> None:
    work = await held(store, "my secret is 123", "m1")
    corrected = await store.conversations.edits.delete("demo", "slack", "m1")
    assert corrected
    assert corrected.turn_id is None
    assert "123" not in str(await texts(store, work.conversation_id, internal=True))
    conversation = await store.conversations.reading.read("demo", work.conversation_id)
    assert conversation.status is ConversationStatus.OPEN
    again = await store.conversations.intake.accept(incoming("my secret is 123", "m1"))
    assert again.repeated


async def test_what_is_left_after_a_deletion_is_answered(store: Store) -> None:
    await held(store, "first", "m1")
    await store.conversations.intake.accept(incoming("second", "m2"))
    corrected = await store.conversations.edits.delete("demo", "slack", "m1")
    assert corrected
    assert (await begun(store, corrected.turn_id)).question == "second"


async def test_a_change_that_overtakes_its_message_waits_for_it(store: Store) -> None:
    assert await store.conversations.edits.edit(incoming("as edited", "m1")) is None
    assert await store.conversations.edits.delete("demo", "slack", "m2") is None
    accepted = await store.conversations.intake.accept(incoming("as written", "m1"))
    assert (await begun(store, accepted.turn_id)).question == "as edited"
    deleted = await store.conversations.intake.accept(incoming("deleted", "m2"))
    assert deleted.turn_id is None
    assert await texts(store, accepted.conversation_id) == [("customer", "as edited")]


async def test_a_member_who_writes_in_the_thread_has_the_conversation(store: Store, agent: Member) -> None:
    work = await held(store, "How do I reset?", "m1")
    for _ in range(2):
        await store.conversations.actions.record_thread_reply(agent, work.conversation_id, "Let me help.", "m2")
    conversation = await store.conversations.reading.read("demo", work.conversation_id)
    assert conversation.status is ConversationStatus.ASSIGNED
    assert conversation.assignee_id == agent.id
    said = await texts(store, work.conversation_id)
    assert said[-1] == ("agent", "Let me help.")
    assert said.count(("agent", "Let me help.")) == 1
    waiting = await store.conversations.outbox.next(work.conversation_id)
    assert waiting is None or waiting.message.author is Author.SYSTEM
    assert (await store.conversations.intake.accept(incoming("thanks", "m3"))).turn_id is None


async def test_files_stay_with_the_message_and_mark_the_turn(store: Store) -> None:
    picture = Attachment("shot.png", "https://files.example/shot.png", "image/png", 12)
    accepted = await store.conversations.intake.accept(replace(incoming("look"), attachments=(picture,)))
    assert (await begun(store, accepted.turn_id)).unread_files
    (message,) = await store.conversations.messages.of_conversation("demo", accepted.conversation_id)
    assert message.attachments == (picture,)


async def test_a_place_has_its_own_mode(store: Store) -> None:
    await store.channels.places.keep(Place("demo", "slack", "T1", "C1", "help", mode=Mode.DRAFT))
    work = await begun(store, (await store.conversations.intake.accept(incoming("hello"))).turn_id)
    assert work.place_mode is Mode.DRAFT
    assert work.settings.mode_of("slack", work.place_mode) is Mode.DRAFT
    await store.channels.places.keep(Place("demo", "slack", "T1", "C1", "help"))
    assert (await store.channels.places.all("demo")) == [Place("demo", "slack", "T1", "C1", "help")]


async def test_staff_are_recognised_in_their_workspace_only(store: Store, agent: Member) -> None:
    await store.accounts.workspaces.create("other", "Other")
    await store.channels.identities.link("demo", agent.id, "slack", "T1/U9")
    assert await store.channels.identities.member("demo", "slack", "T1/U9") == agent
    assert await store.channels.identities.member("other", "slack", "T1/U9") is None
    with pytest.raises(NotFoundError):
        await store.channels.identities.link("other", agent.id, "slack", "T1/U9")
    await store.channels.identities.unlink("demo", "slack", "T1/U9")
    assert await store.channels.identities.all("demo") == []
    assert await store.channels.identities.member("demo", "slack", "T1/U9") is None


async def test_a_review_gets_one_card_per_staff_place_and_each_is_updated(store: Store, agent: Member) -> None:
    work = await held(store, "How do I reset?", "m1")
    await store.channels.places.keep(STAFF)
    ((place, review),) = await store.channels.review_cards.missing("slack")
    card = await store.channels.review_cards.begin(place, review)
    assert card
    assert await store.channels.review_cards.begin(place, review) is None
    assert await store.channels.review_cards.missing("slack") == []
    assert [item.id for item in await store.channels.review_cards.unconfirmed("slack")] == [card.id]
    await store.channels.review_cards.mark_posted(card, "123.4")
    assert await store.channels.review_cards.outdated("slack") == []
    decision = Decision(kind=DecisionKind.APPROVE, member_id=agent.id, member_name=agent.name)
    await store.conversations.reviews.decide(agent, review.id, decision, based_on=1)
    (outdated,) = await store.channels.review_cards.outdated("slack")
    assert outdated.external_id == "123.4"
    await store.channels.review_cards.mark_shown(outdated, ReviewStatus.DECIDED)
    assert await store.channels.review_cards.outdated("slack") == []
    assert work.conversation_id == review.conversation_id


async def test_a_team_belongs_to_one_workspace_and_its_tokens_are_sealed(store: Store) -> None:
    await store.accounts.workspaces.create("other", "Other")
    installed = Installation("demo", "slack", "T1", name="Acme", bot_user="B1", secrets='{"token": "xoxb-secret"}')
    await store.channels.installations.keep(installed)
    assert await store.channels.installations.find("slack", "T1") == installed
    with pytest.raises(ConflictError):
        await store.channels.installations.keep(replace(installed, workspace_id="other"))
    async with database_of(store).read() as connection:
        sealed = (await connection.execute(select(installations.c.encrypted_secrets))).scalar_one()
    assert "xoxb" not in sealed
    await store.channels.installations.forget("slack", "T1")
    assert await store.channels.installations.all("slack") == []


async def test_a_thread_is_found_by_its_key_its_message_or_its_customer(store: Store) -> None:
    accepted = await store.conversations.intake.accept(incoming("hello", "m1"))
    by_key = await store.conversations.threads.find("demo", "slack", "T1/C1/1")
    assert by_key
    assert by_key.id == accepted.conversation_id
    assert await store.conversations.threads.of_message("demo", "slack", "m1") == by_key
    assert await store.conversations.threads.of_customer("demo", "slack", "T1/U1", place="C1") == [by_key]
    assert await store.conversations.threads.of_customer("demo", "slack", "T1/U1", place="C2") == []


def test_what_is_sealed_opens_with_its_key_only() -> None:
    sealed = SecretBox("a key").seal("xoxb-1 ünï")
    assert SecretBox("a key").open(sealed) == "xoxb-1 ünï"
    assert SecretBox("a key").seal("xoxb-1 ünï") != sealed
    broken = sealed[:10] + ("A" if sealed[10] != "A" else "B") + sealed[11:]
    for key, kept in (("another", sealed), ("a key", broken)):
        with pytest.raises(SettingsError):
            SecretBox(key).open(kept)


async def test_a_team_is_of_whoever_added_it_and_any_other_of_our_own_token(store: Store) -> None:
    installations = store.channels.installations
    assert await installations.workspace_of("slack") == "demo", "the home workspace"
    await store.accounts.workspaces.create("other", "Other")
    await installations.keep(Installation("other", "slack", "T1"))
    assert await installations.workspace_of("slack", "T1") == "other"
    assert await installations.workspace_of("discord", "T1") == "demo", "another channel's"
    assert await installations.workspace_of("slack", "T2") == "demo", "of several, the home workspace"
    configured = Installations(database_of(store), SecretBox("a key"), {"slack": "other", "discord": ""})
    assert await configured.workspace_of("slack") == "other"
    assert await configured.workspace_of("discord") == "demo"
    await store.accounts.deployment.choose_home_workspace("other")
    assert await installations.workspace_of("slack", "T2") == "other"


async def test_without_a_home_workspace_a_team_belongs_to_nobody_even_beside_a_single_workspace(
    store: Store,
) -> None:
    async with database_of(store).write() as connection:
        await connection.execute(delete(deployment))
    with pytest.raises(UnboundTeamError):
        await store.channels.installations.workspace_of("discord", "1")


async def test_a_server_is_given_to_another_workspace_with_nothing_left_of_the_first(store: Store) -> None:
    installations, places = store.channels.installations, store.channels.places
    await store.accounts.workspaces.create("beta", "Beta")
    await places.keep(Place("demo", "discord", "1", "11", is_staff=True))
    await places.keep(Place("demo", "discord", "2", "21"))
    await installations.bind("beta", "discord", "1")
    assert await installations.workspace_of("discord", "1") == "beta"
    assert [place.external_id for place in await places.all("demo")] == ["21"]
    with pytest.raises(ConflictError):
        await installations.bind("demo", "discord", "1")
    with pytest.raises(NotFoundError):
        await installations.unbind("demo", "discord", "1")
    await places.keep(Place("beta", "discord", "1", "11"))
    await installations.unbind("beta", "discord", "1")
    assert await installations.workspace_of("discord", "1") == "demo"
    assert await places.all("beta") == []
    await installations.bind("demo", "discord", "1")


async def test_binding_again_keeps_a_team_s_tokens(store: Store) -> None:
    await store.channels.installations.keep(Installation("demo", "slack", "T1", secrets="xoxb-1"))
    await store.channels.installations.bind("demo", "slack", "T1")
    found = await store.channels.installations.find("slack", "T1")
    assert found
    assert found.secrets == "xoxb-1"
