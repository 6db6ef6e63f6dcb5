"""Everything that can go wrong while keeping or finding things; the docstring of a class is its message."""

from typing import ClassVar


class DeskhandError(Exception):
    """Something went wrong in Deskhand.

    `kind` is the stable slug that the edges translate: the REST interface puts it in the problem document's type, with
    `status` as the HTTP status; the workbench picks its words by it. The first docstring line is the default message.
    """

    kind: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or (type(self).__doc__ or "").partition("\n")[0]
        super().__init__(self.detail)


class NotFoundError(DeskhandError):
    """Nothing with this id exists in this workspace."""

    kind = "not-found"
    status = 404


class InvalidError(DeskhandError):
    """The input cannot be used as it is."""

    kind = "invalid"
    status = 422


class TooLargeError(DeskhandError):
    """The input is larger than this desk accepts."""

    kind = "too-large"
    status = 413


class UnboundTeamError(DeskhandError):
    """This server belongs to no workspace of this desk yet; who runs the desk binds it (`deskhand channel bind`)."""

    kind = "team-unbound"
    status = 409


class ConflictError(DeskhandError):
    """This already exists."""

    kind = "conflict"
    status = 409


class NotAllowedError(DeskhandError):
    """This login may not do that."""

    kind = "not-allowed"
    status = 403


class RegistrationClosedError(DeskhandError):
    """This desk takes no registrations."""

    kind = "registration-closed"
    status = 403


class PasswordChangeRequiredError(DeskhandError):
    """Set a password of your own first."""

    kind = "password-change-required"
    status = 403


class NotLoggedInError(DeskhandError):
    """Log in first."""

    kind = "not-logged-in"
    status = 401


class TooManyAttemptsError(DeskhandError):
    """Too many attempts; wait a little and try again."""

    kind = "too-many-attempts"
    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"Too many attempts; try again in {retry_after} seconds.")


class TooManyMessagesError(DeskhandError):
    """More was written than this desk can take; wait a little and write again."""

    kind = "too-many-messages"
    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"Too many messages; write again in {retry_after} seconds.")


class OverloadedError(DeskhandError):
    """The desk has more to do than it can; what was accepted is kept and will be answered."""

    kind = "overloaded"
    status = 503

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"Too many follow their conversations right now; try again in {retry_after} seconds.")


class AlreadyDecidedError(DeskhandError):
    """This review was already handled."""

    kind = "already-decided"
    status = 409

    def __init__(self, by: str, decision: str) -> None:
        self.by, self.decision = by, decision
        super().__init__(f"Already handled by {by}: {decision}.")


class StaleError(DeskhandError):
    """The customer wrote more after this draft was made."""

    kind = "stale"
    status = 409

    def __init__(self, new_text: str) -> None:
        self.new_text = new_text
        super().__init__(f"The customer wrote more after this draft was made: {new_text}")


class ConversationClosedError(DeskhandError):
    """This conversation is closed; start a new one."""

    kind = "conversation-closed"
    status = 409


class SettingsError(DeskhandError):
    """The configuration cannot be used."""

    kind = "settings"
    status = 500


class SchemaError(DeskhandError):
    """The database's schema is not the one this version needs; run `deskhand db upgrade`."""

    kind = "schema"
    status = 503


class UnavailableError(DeskhandError):
    """Something this needs is not there right now."""

    kind = "unavailable"
    status = 503
