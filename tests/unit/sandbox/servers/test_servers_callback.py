"""Callback envelopes: the public test vector, the envelope's form, forged ones, posting one."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import polars as pl

from sandbox.servers.wecom_callback import (
    CallbackKeys,
    build_envelope,
    encrypt_message,
    is_forged,
    post_envelope,
    sign_message,
    write_envelopes,
)

KEYS = CallbackKeys("QDG6eK", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "ww1436e0e65a779aee")


def an_event(event_id: str, moment) -> dict[str, object]:
    return {
        "event_id": event_id,
        "event": "change_external_contact",
        "change_type": "add_external_contact",
        "user_id": "zhangsan",
        "external_user_id": "wm1",
        "create_time": moment,
    }


def test_encryption_and_signature_match_the_public_vector():
    encrypted = encrypt_message("<xml><a>1</a></xml>", KEYS, b"0123456789abcdef")
    assert encrypted == "Q3stYC6hdFzMh9T8HCvyDAuKynFZx72zvSsMzinYKQ9ea/IE0dYukshnFxijvKsFcm3N1uaGW3jW6pGVQElT4w=="
    assert sign_message(KEYS.token, "1403610513", "1597212914", encrypted) == "5bba1f5d3320eb2752776d8b50c30d625811fab8"


def test_an_envelope_is_signed_and_a_forged_one_is_not(moment):
    def is_signed(envelope) -> bool:
        query = envelope["query"]
        encrypted = envelope["body"].split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        return query["msg_signature"] == sign_message(KEYS.token, query["timestamp"], query["nonce"], encrypted)

    assert is_signed(build_envelope(an_event("e1", moment), KEYS))
    assert not is_signed(build_envelope(an_event("e1", moment), KEYS, forged=True))


def test_about_one_envelope_in_a_hundred_is_forged():
    assert 60 <= sum(is_forged(f"event-{n}") for n in range(10_000)) <= 140


def test_envelopes_are_one_file_each_in_the_order_of_time(tmp_path, moment):
    events = pl.DataFrame([an_event("e1", moment), an_event("e2", moment)])
    assert write_envelopes(events, tmp_path, KEYS) == 2
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["20260601T083015-e1.json", "20260601T083015-e2.json"]
    envelope = json.loads((tmp_path / names[0]).read_text(encoding="utf-8"))
    assert set(envelope) == {"received_at", "query", "body"}


def test_an_envelope_can_be_posted_to_a_receiver(moment):
    received = {}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received["query"] = parse_qs(urlsplit(self.path).query)
            received["body"] = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    envelope = build_envelope(an_event("e1", moment), KEYS)
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert post_envelope(envelope, f"http://127.0.0.1:{server.server_port}/callback") == 200
        thread.join()
    assert received["query"]["msg_signature"] == [envelope["query"]["msg_signature"]]
    assert received["body"] == envelope["body"]
