"""The simulated Slack's Web API, with the checks that the real one makes (docs.slack.dev/reference/methods)."""

from collections.abc import Callable
from typing import Any

from tests.simulators.slack.world import (
    APP,
    APP_TOKEN,
    BOT_ID,
    BOT_USER,
    SlackWorld,
)

Answer = dict[str, Any]
MAX_BLOCKS, MAX_SECTION, MAX_BUTTON, MAX_VALUE, MAX_ELEMENTS = 50, 3000, 75, 2000, 25
MAX_PROMPTS, MAX_HEADER = 4, 150


class SlackRefusalError(Exception):
    """`{"ok": false, "error": …}`."""


class SlackMethods:
    """What each method does to the world."""

    def __init__(self, world: SlackWorld, url: str) -> None:
        self._world = world
        self.url = url
        self._methods: dict[str, Callable[[dict[str, Any], str], Answer]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._connections_open,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "conversations.replies": self._replies,
            "conversations.history": self._history,
            "reactions.add": self._react,
            "reactions.remove": self._unreact,
            "assistant.threads.setStatus": self._status,
            "assistant.threads.setSuggestedPrompts": self._prompts,
            "assistant.threads.setTitle": self._title,
            "users.info": self._user,
            "views.open": self._open_view,
            "views.publish": self._publish,
            "oauth.v2.access": self._oauth,
        }

    def call(self, method: str, args: dict[str, Any], token: str) -> Answer:
        """Do it; raises SlackRefusalError."""
        self._world.calls.append((method, args))
        if method == "apps.connections.open":
            if token != APP_TOKEN:
                raise SlackRefusalError("invalid_auth")
        elif method != "oauth.v2.access" and token not in self._world.tokens:
            raise SlackRefusalError("invalid_auth")
        if method not in self._methods:
            raise SlackRefusalError("unknown_method")
        return {"ok": True, **self._methods[method](args, token)}

    def _auth_test(self, _: dict[str, Any], token: str) -> Answer:
        team = self._world.tokens[token]
        return {
            "url": "https://acme.slack.com/",
            "team": "Acme",
            "user": "desk",
            "team_id": team,
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "is_enterprise_install": team.startswith("E"),
        }

    def _connections_open(self, _: dict[str, Any], __: str) -> Answer:
        return {"url": self.url.replace("http://", "ws://") + "/socket"}

    def _post(self, args: dict[str, Any], _: str) -> Answer:
        channel = args["channel"]
        if not channel:
            raise SlackRefusalError("channel_not_found")
        check_blocks(args.get("blocks") or [])
        if not args.get("text") and not args.get("blocks"):
            raise SlackRefusalError("no_text")
        kept = {key: args[key] for key in ("text", "blocks", "thread_ts", "metadata") if args.get(key)}
        message = self._world.post(channel, user=BOT_USER, bot_id=BOT_ID, app_id=APP, **kept)
        return {"channel": channel, "ts": message["ts"], "message": message}

    def _post_ephemeral(self, args: dict[str, Any], _: str) -> Answer:
        self._world.ephemerals.append(args)
        return {"message_ts": self._world.ts()}

    def _update(self, args: dict[str, Any], _: str) -> Answer:
        check_blocks(args.get("blocks") or [])
        message = self._world.find(args["channel"], args["ts"])
        if message is None:
            raise SlackRefusalError("message_not_found")
        message.update(text=args["text"], blocks=args["blocks"], edited={"user": BOT_USER, "ts": self._world.ts()})
        return {"channel": args["channel"], "ts": args["ts"], "text": args["text"]}

    def _replies(self, args: dict[str, Any], _: str) -> Answer:
        return self._page(self._world.thread(args["channel"], args["ts"]), args)

    def _history(self, args: dict[str, Any], _: str) -> Answer:
        top = [item for item in self._world.messages[args["channel"]] if item.get("thread_ts") in (None, item["ts"])]
        return self._page(list(reversed(top)), args)

    def _page(self, found: list[dict[str, Any]], args: dict[str, Any]) -> Answer:
        oldest, limit, start = float(args.get("oldest", 0)), int(args.get("limit", 100)), int(args.get("cursor") or 0)
        found = [item for item in found if float(item["ts"]) >= oldest]
        if str(args.get("include_all_metadata")).lower() not in ("true", "1"):
            found = [{key: value for key, value in item.items() if key != "metadata"} for item in found]
        more = start + limit < len(found)
        cursor = str(start + limit) if more else ""
        return {
            "messages": found[start : start + limit],
            "has_more": more,
            "response_metadata": {"next_cursor": cursor},
        }

    def _react(self, args: dict[str, Any], _: str) -> Answer:
        key = (args["channel"], args["timestamp"], args["name"])
        if key in self._world.reactions:
            raise SlackRefusalError("already_reacted")
        self._world.reactions.add(key)
        return {}

    def _unreact(self, args: dict[str, Any], _: str) -> Answer:
        key = (args["channel"], args["timestamp"], args["name"])
        if key not in self._world.reactions:
            raise SlackRefusalError("no_reaction")
        self._world.reactions.discard(key)
        return {}

    def _status(self, args: dict[str, Any], _: str) -> Answer:
        self._world.statuses.append((args["channel_id"], args["thread_ts"], args.get("status", "")))
        return {}

    def _prompts(self, args: dict[str, Any], _: str) -> Answer:
        """docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts: up to four, each titled."""
        self._assistant_thread(args)
        prompts = args["prompts"]
        if not 0 < len(prompts) <= MAX_PROMPTS or any(not item["title"] or not item["message"] for item in prompts):
            raise SlackRefusalError("invalid_arguments")
        self._world.prompts[args["channel_id"], args["thread_ts"]] = args
        return {}

    def _title(self, args: dict[str, Any], _: str) -> Answer:
        """docs.slack.dev/reference/methods/assistant.threads.setTitle ."""
        self._assistant_thread(args)
        self._world.titles[args["channel_id"], args["thread_ts"]] = args["title"]
        return {}

    def _assistant_thread(self, args: dict[str, Any]) -> None:
        if not args["channel_id"].startswith("D"):
            raise SlackRefusalError("channel_not_found")
        if (args["channel_id"], args["thread_ts"]) not in self._world.panes:
            raise SlackRefusalError("invalid_thread_ts")

    def _user(self, args: dict[str, Any], _: str) -> Answer:
        name = self._world.names.get(args["user"], args["user"])
        return {"user": {"id": args["user"], "real_name": name, "profile": {"display_name": name}}}

    def _open_view(self, args: dict[str, Any], _: str) -> Answer:
        if not args.get("trigger_id"):
            raise SlackRefusalError("invalid_arguments")
        self._world.views.append(args["view"])
        return {"view": args["view"]}

    def _publish(self, args: dict[str, Any], _: str) -> Answer:
        check_blocks(args["view"]["blocks"], most=100)
        self._world.homes[args["user_id"]] = args["view"]
        return {}

    def _oauth(self, args: dict[str, Any], _: str) -> Answer:
        team = str(args["code"])
        self._world.tokens[f"xoxb-{team}"] = team
        # An org-wide installation has no team: docs.slack.dev/enterprise/developing-for-enterprise-orgs .
        is_org = team.startswith("E")
        return {
            "app_id": APP,
            "authed_user": {"id": "UINSTALLER"},
            "scope": "chat:write",
            "token_type": "bot",
            "access_token": f"xoxb-{team}",
            "bot_user_id": BOT_USER,
            "team": None if is_org else {"id": team, "name": f"Team {team}"},
            "enterprise": {"id": team, "name": f"Organisation {team}"} if is_org else None,
            "is_enterprise_install": is_org,
        }


def check_blocks(blocks: list[dict[str, Any]], most: int = MAX_BLOCKS) -> None:
    """The limits of Block Kit; raises `invalid_blocks` as Slack does."""
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    wrong = len(blocks) > most or len(ids) != len(set(ids)) or any(map(_is_wrong, blocks))
    if wrong:
        raise SlackRefusalError("invalid_blocks")


def _is_wrong(block: dict[str, Any]) -> bool:
    match block["type"]:
        case "section":
            accessory = block.get("accessory")
            return not 0 < len(str(block["text"]["text"])) <= MAX_SECTION or bool(
                accessory and _is_wrong_button(accessory)
            )
        case "header":
            return block["text"]["type"] != "plain_text" or not 0 < len(block["text"]["text"]) <= MAX_HEADER
        case "context":
            return not 0 < len(block["elements"]) <= 10
        case "actions":
            elements = block["elements"]
            actions = [element["action_id"] for element in elements]
            too_long = any(map(_is_wrong_button, elements))
            return not 0 < len(elements) <= MAX_ELEMENTS or len(set(actions)) != len(actions) or too_long
        case _:
            return str(block["type"]) != "divider"


def _is_wrong_button(button: dict[str, Any]) -> bool:
    return len(button["text"]["text"]) > MAX_BUTTON or len(button["value"]) > MAX_VALUE
