"""E-mail addresses as logins: checked, and equal however they are written."""

from email_validator import EmailNotValidError, validate_email

from storage.errors import InvalidError


def checked_email(email: str) -> str:
    """The e-mail address in lower case; InvalidError if it cannot be one."""
    try:
        # `.example` and `.local` are reserved, but a demo and an internal desk use them.
        return validate_email(email.strip(), check_deliverability=False, globally_deliverable=False).normalized.lower()
    except EmailNotValidError as error:
        raise InvalidError(f"This is no e-mail address: {error}") from error
