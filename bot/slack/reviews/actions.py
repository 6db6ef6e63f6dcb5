"""Deciding on a card in Slack: the first decision wins, here or in the workbench."""

from bot.slack.clicks import ButtonClick
from bot.slack.directory import SlackDirectory
from bot.slack.errors import translate_errors
from bot.slack.installations import SlackTeam
from bot.slack.reviews.card import edit_modal, reject_modal
from graph.desk import Desk
from storage.errors import AlreadyDecidedError, DeskhandError
from storage.records import Decision, DecisionKind
from storage.store import Store

NOT_STAFF = "Your Slack user is not linked to a member of this desk: ask an admin to link it."


class SlackReviewActions:
    """Takes the decisions of staff from cards and from the dialogs that cards open."""

    def __init__(self, store: Store, desk: Desk, directory: SlackDirectory) -> None:
        self._store = store
        self._desk = desk
        self._directory = directory

    async def click(self, click: ButtonClick) -> str:
        """Decide, or open the dialog that decides; gives what to tell the one who clicked."""
        review_id, _, version = click.value.partition(":")
        member = await self._directory.member(click.team, click.user)
        if member is None:
            return NOT_STAFF
        match click.action:
            case "card_approve":
                decision = Decision(kind=DecisionKind.APPROVE)
            case "card_take_over":
                decision = Decision(kind=DecisionKind.ESCALATE)
            case _:
                return await self._open_dialog(click, review_id, int(version))
        return await self.decide(click.team, click.user, review_id, int(version), decision)

    async def decide(self, team: SlackTeam, user: str, review_id: str, version: int, decision: Decision) -> str:
        """Decide as the member who is this user; gives why it could not be, or nothing."""
        member = await self._directory.member(team, user)
        if member is None:
            return NOT_STAFF
        try:
            await self._desk.decide(member, review_id, decision, based_on=version)
        except DeskhandError as error:
            return error.detail
        return ""

    async def _open_dialog(self, click: ButtonClick, review_id: str, version: int) -> str:
        try:
            review = await self._store.conversations.reviews.read(click.team.workspace_id, review_id)
        except DeskhandError as error:
            return error.detail
        if review.decision is not None:
            return AlreadyDecidedError(review.decision.member_name, review.decision.kind).detail
        modal = edit_modal if click.action == "card_edit" else reject_modal
        with translate_errors():
            await click.team.client.views_open(trigger_id=click.trigger_id, view=modal(review, version))
        return ""
