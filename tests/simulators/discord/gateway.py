"""The simulated gateway: hello, identify, heartbeats, dispatch, resume, and how connections end.

Sources: https://docs.discord.com/developers/events/gateway , …/events/gateway-events ,
…/topics/opcodes-and-status-codes#gateway .
"""

import asyncio
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.simulators.discord.world import DIRECT, Payload, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = {1 << 1: "GUILD_MEMBERS", 1 << 8: "GUILD_PRESENCES", MESSAGE_CONTENT: "MESSAGE_CONTENT"}
FAILED_AUTHENTICATION, INVALID_SEQ, INVALID_SHARD, DISALLOWED_INTENTS = 4004, 4007, 4010, 4014


@dataclass
class Session:
    """What the gateway knows of one client's shard; it outlives the connection."""

    id: str
    shard: tuple[int, int]
    intents: int
    seq: int = 0
    sent: list[Payload] = field(default_factory=list)
    """Every dispatch, for a resume to replay."""
    connection: "Connection | None" = None


class Connection:
    """One WebSocket: frames go out in order, compressed if the client asked for it."""

    def __init__(self, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self.socket = socket
        self._deflate = zlib.compressobj() if compress else None
        self._queue: asyncio.Queue[Payload | None] = asyncio.Queue()
        self.sending = asyncio.create_task(self._send_all())

    def send(self, op: int, data: Any = None, *, seq: int | None = None, event: str | None = None) -> None:
        """Put a payload on its way."""
        self._queue.put_nowait({"op": op, "d": data, "s": seq, "t": event})

    def frame(self, payload: Payload) -> None:
        """Put a whole payload on its way again."""
        self._queue.put_nowait(payload)

    async def close(self, code: int) -> None:
        """Send what is queued, then close."""
        self._queue.put_nowait(None)
        # Cancelled when the other side is lost meanwhile.
        await asyncio.wait({self.sending})
        await self.socket.close(code=code)

    def cut(self) -> None:
        """Lose the connection without a word."""
        self.sending.cancel()
        if self.socket._req is not None and self.socket._req.transport is not None:
            self.socket._req.transport.abort()

    async def _send_all(self) -> None:
        while payload := await self._queue.get():
            text = json.dumps(payload)
            try:
                if self._deflate is None:
                    await self.socket.send_str(text)
                else:
                    packed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(packed)
            except ConnectionError:
                return


class Gateway:
    """Accepts connections and sends each session the events of its shard and intents."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.allowed_intents = MESSAGE_CONTENT
        """The privileged intents switched on in the developer portal."""
        self.shards = 1
        self.identifies: list[Payload] = []
        self.resumes = 0
        self.refuse_resume = False
        self.heartbeat_ms = 41_250
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self._held: list[tuple[str, Payload]] | None = None
        world.listeners.append(self.dispatch)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """One connection, until it ends."""
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        connection = Connection(socket, compress=request.query.get("compress") == "zlib-stream")
        connection.send(HELLO, {"heartbeat_interval": self.heartbeat_ms})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._received(connection, json.loads(frame.data))
        finally:
            connection.sending.cancel()
            for session in self.sessions.values():
                if session.connection is connection:
                    session.connection = None
        return socket

    @property
    def connected(self) -> list[Session]:
        """The sessions with a connection."""
        return [session for session in self.sessions.values() if session.connection is not None]

    def dispatch(self, event: str, data: Payload) -> None:
        """Send an event to every session that may see it."""
        if self._held is not None:
            self._held.append((event, data))
            return
        for session in self.sessions.values():
            if self._is_for(session, event, data):
                self._dispatch(session, event, self._as_seen(session, event, data))

    def hold(self) -> None:
        """Collect what happens instead of sending it."""
        self._held = []

    def release(self, order: Sequence[int] | None = None) -> int:
        """Send what was collected, in this order (positions may repeat or be missing); gives how many there were."""
        held, self._held = self._held or [], None
        for position in range(len(held)) if order is None else order:
            self.dispatch(*held[position])
        return len(held)

    @property
    def held(self) -> list[tuple[str, Payload]]:
        """What was collected so far."""
        return self._held or []

    async def ask_reconnect(self) -> None:
        """Opcode 7: the client should reconnect and resume."""
        for session in self.connected:
            if session.connection:
                session.connection.send(RECONNECT)

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Opcode 9: the session is over, or may be resumed. What happens until the next identify is missed."""
        for session in self.connected:
            if session.connection:
                session.connection.send(INVALID_SESSION, resumable)
            if not resumable:
                del self.sessions[session.id]

    def cut(self) -> None:
        """Lose every connection; the sessions wait for a resume."""
        for session in self.connected:
            if session.connection:
                session.connection.cut()
                session.connection = None

    async def close_all(self) -> None:
        """The server stops."""
        for session in self.connected:
            if session.connection:
                await session.connection.close(1001)

    async def _received(self, connection: Connection, payload: Payload) -> None:
        match payload["op"]:
            case 1:
                connection.send(ACK)
            case 2:
                await self._identify(connection, payload["d"])
            case 6:
                await self._resume(connection, payload["d"])
            case _:
                return

    async def _identify(self, connection: Connection, data: Payload) -> None:
        self.identifies.append(data)
        shard = tuple(data.get("shard", (0, 1)))
        if refused := self._refusal(data, shard):
            await connection.close(refused)
            return
        session = Session(self._world.snowflakes.next(), (shard[0], shard[1]), data["intents"], connection=connection)
        self.sessions[session.id] = session
        guilds = [guild for guild in self._world.guilds.values() if self._shard_of(session, guild.id) == shard[0]]
        self._dispatch(session, "READY", self._ready(session, [guild.id for guild in guilds]))
        for guild in guilds:
            self._dispatch(session, "GUILD_CREATE", self._world.guild_event(guild))

    def _refusal(self, data: Payload, shard: tuple[int, ...]) -> int | None:
        if data["token"] != self._world.token:
            return FAILED_AUTHENTICATION
        if not 0 <= shard[0] < shard[1]:
            return INVALID_SHARD
        wanted = [bit for bit in PRIVILEGED if data["intents"] & bit]
        return DISALLOWED_INTENTS if any(not bit & self.allowed_intents for bit in wanted) else None

    def _ready(self, session: Session, guild_ids: Sequence[str]) -> Payload:
        return {
            "v": 10,
            "user": self._world.bot,
            "guilds": [{"id": guild_id, "unavailable": True} for guild_id in guild_ids],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": self._world.application_id, "flags": 1 << 19},
        }

    async def _resume(self, connection: Connection, data: Payload) -> None:
        session = self.sessions.get(data["session_id"])
        if session is None or self.refuse_resume:
            self.sessions.pop(data["session_id"], None)
            connection.send(INVALID_SESSION, False)
            return
        if data["seq"] > session.seq:
            await connection.close(INVALID_SEQ)
            return
        self.resumes += 1
        session.connection = connection
        for payload in session.sent[data["seq"] :]:
            connection.frame(payload)
        self._dispatch(session, "RESUMED", {})

    def _dispatch(self, session: Session, event: str, data: Payload) -> None:
        session.seq += 1
        # A copy: what happens later must not change what was sent.
        payload = json.loads(json.dumps({"op": DISPATCH, "d": data, "s": session.seq, "t": event}))
        session.sent.append(payload)
        if session.connection is not None:
            session.connection.frame(payload)

    def _is_for(self, session: Session, event: str, data: Payload) -> bool:
        if event == "INTERACTION_CREATE" or event.startswith("MESSAGE"):
            needed = GUILD_MESSAGES if "guild_id" in data else DIRECT_MESSAGES
            needed = 0 if event == "INTERACTION_CREATE" else needed
        else:
            needed = GUILDS
        if needed & ~session.intents or not self._may_see(data):
            return False
        guild_id = data.get("guild_id")
        return session.shard[0] == (self._shard_of(session, guild_id) if guild_id else 0)

    def _may_see(self, data: Payload) -> bool:
        channel = self._world.channels.get(data.get("channel_id", ""))
        private = channel is not None and channel["type"] == 12
        return not private or self._world.bot["id"] in self._world.thread_members[str(data["channel_id"])]

    def _as_seen(self, session: Session, event: str, data: Payload) -> Payload:
        """Without Message Content the text of others is empty, except in direct messages and mentions."""
        if event not in ("MESSAGE_CREATE", "MESSAGE_UPDATE") or session.intents & MESSAGE_CONTENT:
            return data
        mine = data["author"]["id"] == self._world.bot["id"]
        mentioned = any(user["id"] == self._world.bot["id"] for user in data["mentions"])
        if mine or mentioned or data["channel_type"] == DIRECT:
            return data
        return {**data, "content": "", "embeds": [], "attachments": [], "components": []}

    def _shard_of(self, session: Session, guild_id: str) -> int:
        return (int(guild_id) >> 22) % session.shard[1]
