"""Error classes that every vendor's failures are mapped to, so that callers decide by class and not by text."""


class ConnectorError(Exception):
    """A sync of one stream failed. The message says what, where and what to do, and holds no secret."""


class AuthExpired(ConnectorError):
    """The token is no longer accepted: refresh once, replay."""


class RateLimited(ConnectorError):
    """Too many calls; `wait_seconds` is what the vendor asks for, None if it does not say."""

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class Transient(ConnectorError):
    """A passing fault (5xx, reset, non-JSON answer): worth a retry."""


class Unreachable(Transient):
    """No connection could be made: the source is down or its address is wrong. Its other streams need not be tried now."""


class PermissionDenied(ConnectorError):
    """The credential lacks a scope; retrying cannot help."""


class BadRequest(ConnectorError):
    """We asked wrongly; retrying cannot help."""


class ContractBroken(ConnectorError):
    """The answer is not what the vendor documents (an expected list is missing, a page repeats)."""


class Gone(ConnectorError):
    """The record does not exist any more: a tombstone."""


class ConfigurationError(ConnectorError):
    """The user's own settings are wrong; the message names the setting."""
