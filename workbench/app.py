"""The workbench application: Gradio, mounted behind the login."""

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from storage.records import Registration, Role
from workbench.analytics.tab import build_analytics
from workbench.auth.gradio_guard import AuthMiddleware
from workbench.auth.join_page import join_routes
from workbench.auth.login_page import login_routes
from workbench.auth.password_page import password_routes
from workbench.auth.sessions import Sessions
from workbench.autopilot.tab import build_autopilot
from workbench.channels.tab import build_channels
from workbench.context import WorkbenchContext
from workbench.inbox.tab import build_inbox
from workbench.knowledge.tab import build_knowledge
from workbench.knowledge.uploads import upload_routes
from workbench.monitoring.tab import build_monitoring
from workbench.settings.tab import build_settings
from workbench.ui.gradio_tracebacks import log_gradio_tracebacks
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.header import build_header
from workbench.ui.theme import gradio_theme

HEAD = '<link rel="stylesheet" href="workbench/ui/theme.css"><link rel="icon" href="data:,">'


def mount_workbench(app: FastAPI, context: WorkbenchContext) -> FastAPI:
    """Add the login's routes, and Gradio at `/`: it takes every path that is not taken yet, so it comes last."""
    log_gradio_tracebacks()
    sessions = Sessions(context.store.accounts.tokens)
    app.include_router(login_routes(context.store.accounts, context.settings))
    session_seconds = context.settings.web.session_hours * 3600
    app.include_router(password_routes(context.store.accounts, session_seconds))
    if context.settings.access.registration is Registration.INVITATION:
        app.include_router(join_routes(context.store.accounts, session_seconds))
    app.include_router(upload_routes(context, sessions))
    gr.mount_gradio_app(
        app,
        build_workbench(context, sessions),
        path="/",
        root_path=context.settings.web.root_path,
        server_name=context.settings.web.host,
        server_port=context.settings.web.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        # Its own upload is closed (`gradio_guard`): files come in by `knowledge/uploads.py`.
        max_file_size=0,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gradio_theme(),
        head=HEAD,
    )
    _gradio_app(app).add_middleware(AuthMiddleware, sessions=sessions)
    return app


def _gradio_app(app: FastAPI) -> FastAPI:
    mounts = (route.app for route in app.routes if isinstance(route, Mount))
    return next(inner for inner in mounts if isinstance(inner, gr.routes.App))


def build_workbench(context: WorkbenchContext, sessions: Sessions) -> gr.Blocks:
    """Every tab; what only admins may do is hidden from agents here and refused by the handlers."""
    with gr.Blocks(analytics_enabled=False, title="Deskhand", fill_width=True) as opened:
        blocks: gr.Blocks = opened
        build_header(blocks, context, sessions.memberships)
        with gr.Tabs(elem_id="dh-tabs"):
            with gr.Tab("Inbox", id="inbox"):
                build_inbox(context, sessions)
            with gr.Tab("Knowledge", id="knowledge") as knowledge:
                build_knowledge(knowledge, context, sessions)
            with gr.Tab("Analytics", id="analytics") as analytics:
                build_analytics(analytics, context, sessions)
            with gr.Tab("Monitoring", id="monitoring") as monitoring:
                build_monitoring(monitoring, context, sessions)
            with gr.Tab("Channels", id="channels", visible=False) as channels:
                build_channels(context, sessions)
            with gr.Tab("Autopilot", id="autopilot", visible=False) as autopilot:
                build_autopilot(autopilot, context, sessions)
            with gr.Tab("Settings", id="settings", visible=False) as settings:
                build_settings(settings, context, sessions)

        @error_boundary
        async def show_admin_tabs(request: gr.Request) -> list[gr.Tab]:
            is_admin = (await sessions.member(request)).role is Role.ADMIN
            return [gr.Tab(visible=is_admin) for _ in admin_tabs]

        admin_tabs = [channels, autopilot, settings]
        blocks.load(show_admin_tabs, None, admin_tabs, **PRIVATE_EVENT)
    blocks.queue(default_concurrency_limit=None, api_open=False)
    return blocks
