"""Terminal chat (`deskhand chat`): the web channel's conversation in a terminal, for the engineer on a server."""

import asyncio
import getpass

from rich.console import Console
from rich.markdown import Markdown

from bot.intake import Intake
from storage.cluster.events import wait_for_event
from storage.records import Author, ConversationStatus, Incoming, Message, new_id
from storage.store import Store

TERMINAL_POLL_SECONDS = 0.5


class Terminal:
    """Reads lines, shows replies as they come."""

    def __init__(self, store: Store, intake: Intake, workspace_id: str) -> None:
        self._store = store
        self._intake = intake
        self._workspace_id = workspace_id
        self._thread = new_id()
        self._console = Console()

    async def run(self) -> None:
        """Talk until an empty line or the end of the input."""
        self._console.print("Ask something; an empty line ends the chat.", style="dim")
        conversation_id = await self._intake.open(self._incoming(""))
        seen = 0
        while text := (await asyncio.to_thread(self._read)).strip():
            accepted = await self._intake.accept(self._incoming(text))
            seen = await self._show_until_answered(conversation_id, max(seen, accepted.seq))

    def _read(self) -> str:
        try:
            return input("you > ")
        except EOFError:
            return ""

    def _incoming(self, text: str) -> Incoming:
        user = getpass.getuser()
        return Incoming(
            workspace_id=self._workspace_id,
            channel="web",
            external_id=f"terminal:{new_id()}",
            thread=f"terminal:{self._thread}",
            customer_external_id=f"terminal:{user}",
            customer_name=user,
            text=text,
        )

    async def _show_until_answered(self, conversation_id: str, seen: int) -> int:
        """Print what comes until the desk has done its turn; a person's reply is shown at the next look."""
        conversations, texts = self._store.conversations.reading, self._store.conversations.messages
        with self._store.cluster.events.listen(conversation_id) as news:
            while True:
                news.clear()
                working = await conversations.is_working(conversation_id)
                for message in await texts.of_conversation(self._workspace_id, conversation_id, after_seq=seen):
                    seen = message.seq
                    self._print(message)
                if not working:
                    await self._print_if_person_has_it(conversation_id)
                    return seen
                await wait_for_event(news, TERMINAL_POLL_SECONDS)

    async def _print_if_person_has_it(self, conversation_id: str) -> None:
        conversation = await self._store.conversations.reading.read(self._workspace_id, conversation_id)
        if conversation.status in (ConversationStatus.PENDING, ConversationStatus.ASSIGNED):
            self._console.print("(a person has this now; write on, or come back later)", style="dim")

    def _print(self, message: Message) -> None:
        if message.author is Author.CUSTOMER:
            return
        self._console.print(f"{message.member_name or message.author} >", style="bold")
        self._console.print(Markdown(message.text))
        if message.draft:
            for number, citation in enumerate(message.draft.citations, 1):
                self._console.print(f"  [{number}] {citation.title}", style="dim", markup=False)
