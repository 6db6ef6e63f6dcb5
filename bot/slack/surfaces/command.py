"""The slash command `/deskhand`: status, takeover, handback, resolve, ask; only the one who asked sees the answer."""

import re

from bot.slack.blocks import fallback
from bot.slack.directory import SlackDirectory
from bot.slack.ids import SlackThread, message_key, user_key
from bot.slack.installations import SlackTeam
from bot.slack.reviews.actions import NOT_STAFF
from bot.text import pluralise
from graph.desk import Desk
from storage.errors import DeskhandError, InvalidError
from storage.records import LIVE_STATUSES, Conversation, ConversationStatus, Member, ReviewStatus
from storage.store import Store

USAGE = (
    "`/deskhand status` · `/deskhand ask …` · for members: `/deskhand takeover`, `handback` or `resolve`, with a link "
    "to the thread's message or, in a channel with one open conversation, alone"
)
PERMALINK = re.compile(
    r"/archives/(?P<channel>[A-Z0-9]+)/p(?P<digits>\d{10})(?P<micros>\d{6})(?:\S{0,200}?thread_ts=(?P<thread>[\d.]+))?"
)


class SlackCommand:
    """Answers `/deskhand`."""

    def __init__(self, store: Store, desk: Desk, directory: SlackDirectory) -> None:
        self._store = store
        self._desk = desk
        self._directory = directory

    async def answer(self, team: SlackTeam, user: str, channel: str, text: str) -> str:
        """Do it and give what to say, as mrkdwn."""
        word, _, rest = text.strip().partition(" ")
        try:
            match word.lower():
                case "status":
                    return await self._status(team, user)
                case "ask":
                    return await self._ask(team, rest.strip())
                case "takeover" | "handback" | "resolve" as action:
                    return await self._staff_action(team, user, channel, action, rest.strip())
                case _:
                    return USAGE
        except DeskhandError as error:
            return fallback(error.detail)

    async def _status(self, team: SlackTeam, user: str) -> str:
        if await self._directory.member(team, user) is None:
            return await self._my_conversations(team, user)
        waiting = await self._store.conversations.reviews.page(team.workspace_id, ReviewStatus.PENDING, limit=200)
        assigned = await self._store.conversations.reading.page(
            team.workspace_id, status=ConversationStatus.ASSIGNED, limit=200
        )
        opened = await self._store.conversations.reading.page(
            team.workspace_id, status=ConversationStatus.OPEN, limit=200
        )
        return (
            f"{pluralise(len(waiting.items), 'draft waits', 'drafts wait')} for a decision, "
            f"{pluralise(len(assigned.items), 'conversation is', 'conversations are')} with people, "
            f"{len(opened.items)} open."
        )

    async def _my_conversations(self, team: SlackTeam, user: str) -> str:
        mine = await self._store.conversations.threads.of_customer(team.workspace_id, "slack", user_key(team.id, user))
        lines = [f"• {link_to(team, item)} — {status_words(item)}" for item in mine]
        return "\n".join(lines) or "You have no open conversations."

    async def _ask(self, team: SlackTeam, question: str) -> str:
        if not question:
            raise InvalidError("Write a question: /deskhand ask How do I …?")
        workspace = await self._store.accounts.workspaces.read(team.workspace_id)
        draft, _, _ = await self._desk.propose(team.workspace_id, question, workspace.settings)
        if not draft.can_answer or not draft.text.strip():
            return "I found nothing about that. Ask in a support channel and a person will see it."
        return fallback(draft.text)

    async def _staff_action(self, team: SlackTeam, user: str, channel: str, action: str, where: str) -> str:
        member = await self._directory.member(team, user)
        if member is None:
            return NOT_STAFF
        conversation = await self._conversation_named(team, channel, where)
        return f"{await self._perform(member, conversation, action)}: {link_to(team, conversation)}"

    async def _perform(self, member: Member, conversation: Conversation, action: str) -> str:
        match action:
            case "takeover":
                await self._desk.take_over(member, conversation.id)
                return "You have it now"
            case "handback":
                await self._desk.hand_back(member, conversation.id)
                return "The bot has it again"
            case _:
                await self._desk.resolve(member.workspace_id, conversation.id, member)
                return "Marked as resolved"

    async def _conversation_named(self, team: SlackTeam, channel: str, where: str) -> Conversation:
        """The conversation behind a link, or the only live one of this channel."""
        if where:
            return await self._linked_conversation(team, where)
        live = await self._store.conversations.threads.of_place(team.workspace_id, "slack", channel, LIVE_STATUSES)
        if len(live) != 1:
            raise InvalidError(
                f"There are {len(live)} open conversations in this channel: add a link to a message of one."
            )
        return live[0]

    async def _linked_conversation(self, team: SlackTeam, link: str) -> Conversation:
        found = PERMALINK.search(link)
        if found is None:
            raise InvalidError("This is no link to a Slack message: use “Copy link” in the message's menu.")
        ts = f"{found['digits']}.{found['micros']}"
        thread = SlackThread(team.id, found["channel"], found["thread"] or ts)
        threads, workspace_id = self._store.conversations.threads, team.workspace_id
        conversation = await threads.find(workspace_id, "slack", str(thread)) or await threads.of_message(
            workspace_id, "slack", message_key(team.id, found["channel"], ts)
        )
        if conversation is None:
            raise InvalidError("This message belongs to no conversation of the desk.")
        return conversation


def link_to(team: SlackTeam, conversation: Conversation) -> str:
    """A conversation's subject, linked to its thread, as mrkdwn."""
    thread = SlackThread.parse(conversation.thread) if conversation.channel == "slack" else None
    subject = fallback(conversation.subject or conversation.first_line or "conversation").replace("\n", " ")
    if thread is None or not thread.ts or not team.url:
        return subject
    plain = re.sub(r"[<>|*_~`]", "", subject)
    return f"<{team.url.rstrip('/')}/archives/{thread.channel}/p{thread.ts.replace('.', '')}|{plain}>"


def status_words(conversation: Conversation) -> str:
    """Whose move it is, for a customer."""
    match conversation.status:
        case ConversationStatus.PENDING:
            return "a person looks at our reply"
        case ConversationStatus.ASSIGNED:
            return (
                f"{fallback(conversation.assignee_name)} has it" if conversation.assignee_name else "waits for a person"
            )
        case ConversationStatus.RESOLVED:
            return "resolved"
        case _:
            return "open"
