"""WeCom callbacks: encryption, signature, and the envelopes that a receiver writes down."""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.servers.atomic import write_atomically

PADDING_BLOCK = 32
# one in a hundred envelopes carries a signature that does not fit, as a forged post would
FORGED_EVERY = 100


@dataclass(frozen=True)
class CallbackKeys:
    """`aes_key` is the EncodingAESKey, 43 characters."""

    token: str
    aes_key: str
    corp_id: str


def encrypt_message(message: str, keys: CallbackKeys, salt: bytes) -> str:
    """AES-256-CBC, PKCS#7 with block 32, over 16 random bytes (`salt`), length, message and corp id; base64."""
    key = base64.b64decode(keys.aes_key + "=")
    body = message.encode()
    plain = salt + len(body).to_bytes(4, "big") + body + keys.corp_id.encode()
    padding = PADDING_BLOCK - len(plain) % PADDING_BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def sign_message(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """msg_signature of a callback."""
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode(), usedforsecurity=False).hexdigest()


def build_envelope(event: dict[str, Any], keys: CallbackKeys, *, forged: bool = False) -> dict[str, Any]:
    """What a receiver stores of one callback: {"received_at", "query", "body"}. Same event, same envelope."""
    seed = hashlib.sha256(event["event_id"].encode()).digest()
    moment: datetime = event["create_time"]
    timestamp, nonce = str(int(moment.timestamp())), str(int.from_bytes(seed[16:20], "big"))
    encrypted = encrypt_message(_write_event(event, keys.corp_id), keys, seed[:16])
    signature = sign_message("forged" if forged else keys.token, timestamp, nonce, encrypted)
    body = f"<xml><ToUserName><![CDATA[{keys.corp_id}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return {
        "received_at": moment.astimezone(UTC).isoformat(),
        "query": {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce},
        "body": body,
    }


def write_envelopes(events: pl.DataFrame, inbox: Path, keys: CallbackKeys) -> int:
    """One file per event, named after its time and id; returns how many were written."""
    inbox.mkdir(parents=True, exist_ok=True)
    for event in events.iter_rows(named=True):
        name = f"{event['create_time']:%Y%m%dT%H%M%S}-{event['event_id']}.json"
        envelope = build_envelope(event, keys, forged=is_forged(event["event_id"]))
        write_atomically(inbox / name, json.dumps(envelope, ensure_ascii=False).encode())
    return events.height


def is_forged(event_id: str) -> bool:
    """Whether this event's envelope gets a wrong signature."""
    return int.from_bytes(hashlib.sha256(event_id.encode()).digest()[-4:], "big") % FORGED_EVERY == 0


def post_envelope(envelope: dict[str, Any], url: str) -> int:
    """Post a callback to a receiver as WeCom does; returns the HTTP status."""
    request = urllib.request.Request(  # noqa: S310 - the caller's own loopback address
        f"{url}?{urllib.parse.urlencode(envelope['query'])}",
        data=envelope["body"].encode(),
        headers={"Content-Type": "text/xml"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        return int(answer.status)


def _write_event(event: dict[str, Any], corp_id: str) -> str:
    fields = {
        "ToUserName": corp_id,
        "FromUserName": "sys",
        "MsgType": "event",
        "Event": event["event"],
        "ChangeType": event["change_type"],
        "UserID": event["user_id"],
        "ExternalUserID": event["external_user_id"],
    }
    texts = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items() if value is not None)
    return f"<xml><CreateTime>{int(event['create_time'].timestamp())}</CreateTime>{texts}</xml>"
