"""HEAD for the pages: answered as GET is, without the body, which routers do not do of themselves."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_PAGES = ("/api/", "/gradio_api/", "/logout", "/slack/")


class HeadMiddleware:
    """ASGI middleware: the application sees GET, the client nothing but the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass every other request on as it is."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(NOT_PAGES):
            return await self._app(scope, receive, send)

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        return await self._app({**scope, "method": "GET"}, receive, send_headers)
