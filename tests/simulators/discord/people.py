"""What people do in the simulated Discord: write, edit, click, run commands, fill in modals."""

from typing import Any

from tests.simulators.discord.interactions import (
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Interactions,
    inputs_of,
)
from tests.simulators.discord.world import REPLY, Payload, World

STRING = 3


class Person:
    """One user."""

    def __init__(self, world: World, interactions: Interactions, user: Payload) -> None:
        self._world = world
        self._interactions = interactions
        self.user = user

    @property
    def id(self) -> str:
        """The user's id."""
        return str(self.user["id"])

    @property
    def direct(self) -> Payload:
        """The direct messages with the bot."""
        return self._world.direct_channel(self.id)

    def say(self, channel: Payload, text: str, **fields: Any) -> Payload:
        """Write a message."""
        if channel["id"] in self._world.thread_members:
            self._world.thread_members[channel["id"]].add(self.id)
        return self._world.add_message(channel["id"], self.id, text, **fields)

    def mention(self, channel: Payload, text: str) -> Payload:
        """Write to the bot by name."""
        return self.say(channel, f"<@{self._world.bot['id']}> {text}")

    def reply(self, message: Payload, text: str) -> Payload:
        """Answer a message with the reply function."""
        reference = {"message_id": message["id"], "channel_id": message["channel_id"], "type": 0}
        channel = self._world.channels[message["channel_id"]]
        kept = self._world.messages[channel["id"]].get(message["id"])
        return self.say(channel, text, type=REPLY, message_reference=reference, referenced_message=kept)

    def post(self, forum: Payload, title: str, text: str, *tags: str, **fields: Any) -> Payload:
        """Start a post in a forum; gives its thread. The first message has the thread's id."""
        thread = self._world.add_thread(forum, self.id, title)
        known = {tag["name"]: tag["id"] for tag in forum["available_tags"]}
        thread["applied_tags"] = [known[tag] for tag in tags]
        self._world.announce_thread(thread)
        self.say(thread, text, id=thread["id"], **fields)
        return thread

    def edit(self, message: Payload, text: str) -> None:
        """Change a message's text."""
        mentions = [user for user in self._world.users.values() if f"<@{user['id']}>" in text]
        changes = {"content": text, "mentions": mentions}
        self._world.change_message(message["channel_id"], message["id"], changes)

    def delete(self, message: Payload) -> None:
        """Remove a message."""
        self._world.remove_message(message["channel_id"], message["id"])

    async def click(self, message: Payload, label: str) -> Interaction:
        """Press the button with this label or emoji."""
        message = self._world.messages[message["channel_id"]][message["id"]]
        button = button_of(message, label)
        data = {"custom_id": button["custom_id"], "component_type": 2, "id": button.get("id", 1)}
        channel = self._world.channels[message["channel_id"]]
        return await self._interactions.start(COMPONENT, self.user, channel, data, {**message}).answered()

    async def command(self, channel: Payload, name: str, **options: str) -> Interaction:
        """Run a slash command."""
        values = [{"name": key, "type": STRING, "value": value} for key, value in options.items()]
        data = {"id": "1", "name": name, "type": 1, "options": values}
        return await self._interactions.start(COMMAND, self.user, channel, data, None).answered()

    async def submit(self, modal: Interaction, **values: str) -> Interaction:
        """Send a modal; what is not given stays as it was shown."""
        assert modal.kind == 9, f"the answer was no modal but {modal.kind}: {modal.texts}"
        inputs = inputs_of(modal.data)
        texts = {item["custom_id"]: values.get(item["custom_id"], item.get("value") or "") for item in inputs}
        assert set(values) <= set(texts), f"the modal has {sorted(texts)}"
        rows = [
            {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": key, "value": text}}
            for key, text in texts.items()
        ]
        data = {"custom_id": modal.data["custom_id"], "components": rows}
        channel = self._world.channels[modal.payload["channel_id"]]
        message = modal.payload.get("message")
        return await self._interactions.start(MODAL_SUBMIT, self.user, channel, data, message).answered()


def buttons_of(message: Payload) -> list[Payload]:
    """The buttons of a message, row by row."""
    return [item for row in message["components"] for item in row.get("components", [])]


def labels_of(message: Payload) -> list[str]:
    """What is on the buttons of a message."""
    return [label_of(item) for item in buttons_of(message)]


def button_of(message: Payload, label: str) -> Payload:
    """The button with this label or emoji."""
    for item in buttons_of(message):
        if label == label_of(item):
            assert not item.get("disabled"), f"the button {label} is disabled"
            return item
    raise AssertionError(f"no button {label!r} among {labels_of(message)}")


def label_of(item: Payload) -> str:
    """A button's label, or its emoji if it has none."""
    return str(item.get("label") or (item.get("emoji") or {}).get("name"))
