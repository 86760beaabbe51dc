"""WeCom callbacks from a folder: a receiver writes each request to a file, this verifies, decrypts and flattens them.

An envelope file is JSON, `{"received_at": .., "query": {"msg_signature", "timestamp", "nonce"}, "body": "<xml>.."}`, written
once and never changed. The cursor names the last file and a digest of all names up to it: a file that arrives late under
an earlier name changes the digest, and then the folder is read again from the start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import polars as pl
from defusedxml.common import DefusedXmlException

from connectors.base import REJECT_SCHEMA, Batch, Cursor
from connectors.frames import to_frame
from connectors.messaging.wecom_crypto import CallbackRejected, decrypt, is_signed

STREAM = "events"
BATCH_FILES = 5000
# our column -> element of the decrypted XML
COLUMNS = {
    "event": "Event",
    "change_type": "ChangeType",
    "user_id": "UserID",
    "external_user_id": "ExternalUserID",
    "create_time": "CreateTime",
}


@dataclass(frozen=True)
class CallbackKeys:
    """What a callback is verified with: the corp id it must be meant for, the token, the decoded AES key."""

    corp_id: str
    token: str
    aes_key: bytes


def read_envelopes(inbox: Path, cursor: Cursor | None, keys: CallbackKeys) -> Iterator[Batch]:
    """Batches of the events in envelope files that `cursor` does not cover, in the order of their names."""
    names = sorted(path.name for path in inbox.glob("*.json"))
    known, rereads = 0, False
    if cursor is not None:
        known = sum(name <= cursor["last"] for name in names)
        rereads = _digest(names[:known]) != cursor["digest"]
        known = 0 if rereads else known
    for start in range(known, len(names), BATCH_FILES):
        end = min(start + BATCH_FILES, len(names))
        envelopes = ((name, (inbox / name).read_text(encoding="utf-8", errors="replace")) for name in names[start:end])
        position = {"kind": "manifest", "last": names[end - 1], "digest": _digest(names[:end])}
        # from the beginning: what landed before comes again
        yield parse_envelopes(envelopes, keys, position, rereads=rereads or known == 0)


def parse_envelopes(envelopes: Iterable[tuple[str, str]], keys: CallbackKeys, cursor: Cursor, *, rereads: bool) -> Batch:
    """One batch from (position, envelope text) pairs; what cannot be trusted or read becomes a reject with its reason."""
    rows: list[dict[str, Any]] = []
    rejects: list[dict[str, str]] = []
    for position, text in envelopes:
        try:
            rows.append(open_envelope(text, keys))
        except CallbackRejected as exc:
            rejects.append({"position": position, "reason": str(exc), "payload": text})
    return Batch(
        stream=STREAM,
        rows=to_frame(rows, ["event_id", *COLUMNS]),
        cursor=cursor,
        rejects=pl.DataFrame(rejects, schema=REJECT_SCHEMA) if rejects else None,
        vendor_types=dict.fromkeys(COLUMNS, "xml text"),
        rereads=rereads,
    )


def open_envelope(text: str, keys: CallbackKeys) -> dict[str, Any]:
    """Verify, decrypt and flatten one envelope. Raises CallbackRejected."""
    try:
        envelope = json.loads(text)
        query, body = envelope["query"], envelope["body"]
        signature, timestamp, nonce = (str(query[name]) for name in ("msg_signature", "timestamp", "nonce"))
    except (ValueError, KeyError, TypeError):
        raise CallbackRejected(
            "not an envelope: JSON with query {msg_signature, timestamp, nonce} and body is expected"
        ) from None
    encrypted = _parse_xml(body, "the request body").findtext("Encrypt") or ""
    if not is_signed(signature, keys.token, timestamp, nonce, encrypted):
        raise CallbackRejected("the signature is wrong: forged, damaged, or another callback token")
    message = decrypt(encrypted, keys.corp_id, keys.aes_key)
    root = _parse_xml(message, "the decrypted message")
    event_id = hashlib.sha256(f"{message}{timestamp}".encode()).hexdigest()
    return {"event_id": event_id} | {column: root.findtext(element) for column, element in COLUMNS.items()}


def _parse_xml(text: str, what: str) -> Element:
    try:
        root: Element = defusedxml.ElementTree.fromstring(text)
    except (ParseError, DefusedXmlException, TypeError, ValueError) as exc:
        raise CallbackRejected(f"{what} is not acceptable XML: {type(exc).__name__}") from None
    return root


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
