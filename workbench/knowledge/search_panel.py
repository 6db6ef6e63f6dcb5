"""The search on the Knowledge tab: what a customer who asks this would get, and what was found for it."""

import gradio as gr

from storage.errors import InvalidError
from storage.records import Member
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.knowledge.view import answer_html
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.html import empty_state

MAX_QUESTION_LENGTH = 2000
NOTHING_ASKED = empty_state(
    "Search as a customer would", "Type a question: you see the draft, what would happen, and the sources."
)


class SearchPanel:
    """The components and their events."""

    def __init__(self, context: WorkbenchContext, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions
        with gr.Row(equal_height=True):
            question = gr.Textbox(
                show_label=False, placeholder="Ask as a customer would", scale=4, max_lines=3, elem_id="dh-try"
            )
            search = gr.Button("Search", variant="primary", scale=1, min_width=90)
        answer = gr.HTML(NOTHING_ASKED, apply_default_css=False, elem_id="dh-answer")
        for event in (question.submit, search.click):
            event(self._search, question, answer, **PRIVATE_EVENT)

    @error_boundary
    async def _search(self, question: str, request: gr.Request) -> str:
        return await self._answer_html(await self._sessions.member(request), (question or "").strip())

    async def _answer_html(self, member: Member, question: str) -> str:
        if not question:
            raise InvalidError("Type a question first.")
        question = question[:MAX_QUESTION_LENGTH]
        settings = (await self._context.store.accounts.workspaces.read(member.workspace_id)).settings
        draft, verdict, triage = await self._context.desk.propose(member.workspace_id, question, settings)
        hits = await self._context.store.knowledge.index.search(member.workspace_id, question)
        return answer_html(draft, verdict, triage, hits)
