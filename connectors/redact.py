"""Keeps credentials and e-mail addresses out of errors and logs.

WeCom, DingTalk and YonBIP carry the token in the query string, and httpx logs every URL, so both texts that we write
and records of the HTTP libraries' loggers pass through here.
"""

import logging
import re
from collections.abc import Iterable

MASK = "***"
EXCERPT = 200  # characters of a strange answer that an error shows

_NAME = r"[\w-]*(?:token|secret|passw(?:or)?d|signature|sign|key|authorization|ticket)"
_PAIR = re.compile(rf"""(\b{_NAME}\b["']?\s*[=:]\s*)(?:(["'])(?:(?!\2).)*\2?|[^\s&,;"'{{}}\[\]]+)""", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic|Session)\s+[\w.~+/=-]+", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_HTTP_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Mask the values of secret-looking names, bearer credentials, e-mail addresses and every value in `secrets`."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _PAIR.sub(rf"\1{MASK}", text)
    return _EMAIL.sub(MASK, text)


def excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """The first 200 characters of an answer, on one line, redacted."""
    return redact(" ".join(text.split()), secrets)[:EXCERPT]


class RedactingFilter(logging.Filter):
    """Rewrites a log record's message so that it holds no credential."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact in place; never drops a record."""
        record.msg, record.args = redact(record.getMessage()), None
        return True


def guard_http_logs() -> None:
    """Attach the redaction to the HTTP libraries' loggers, once."""
    for name in _HTTP_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(present, RedactingFilter) for present in logger.filters):
            logger.addFilter(RedactingFilter())
