"""The Knowledge tab: admins load and delete documents; everybody looks into them and searches."""

import gradio as gr

from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.knowledge.documents_panel import DocumentsPanel
from workbench.knowledge.search_panel import SearchPanel

_TITLE = (
    '<div class="dh-title"><h1>Knowledge</h1><p>What the bot answers from. A FAQ entry is kept whole; longer pages '
    "are cut into passages.</p></div>"
)


def build_knowledge(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The documents on the left, the search on the right."""
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(_TITLE, apply_default_css=False)
        with gr.Row():
            with gr.Column(scale=5, min_width=340):
                documents = DocumentsPanel(context, sessions)
            with gr.Column(scale=6, min_width=340):
                SearchPanel(context, sessions)
    documents.refresh_on(tab)
