"""Callback envelopes in a folder become events, or rejects with a reason."""

import json
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from connectors.messaging.wecom import WeCom
from connectors.messaging.wecom_crypto import decode_key, encrypt, sign

TOKEN, CORP, AES_KEY = "QDG6eK", "ww1436e0e65a779aee", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
MESSAGE = (
    "<xml><ToUserName>c</ToUserName><CreateTime>1750000000</CreateTime><MsgType>event</MsgType>"
    "<Event>change_external_contact</Event><ChangeType>{change}</ChangeType><UserID>zhangwei</UserID>"
    "<ExternalUserID>wm1</ExternalUserID></xml>"
)


def envelope(message: str, *, token: str = TOKEN, corp: str = CORP, timestamp: str = "1750000001") -> str:
    encrypted = encrypt(message, corp, decode_key(AES_KEY))
    query = {"msg_signature": sign(token, timestamp, "n", encrypted), "timestamp": timestamp, "nonce": "n"}
    body = f"<xml><ToUserName>c</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return json.dumps({"received_at": "2026-06-30T00:00:00Z", "query": query, "body": body})


def drop(inbox: Path, name: str, text: str) -> None:
    (inbox / f"{name}.json").write_text(text, encoding="utf-8")


def wecom(inbox: Path | None, token: str | None = TOKEN, key: str | None = AES_KEY) -> WeCom:
    return WeCom("wecom", "https://w.test", CORP, "s", inbox=inbox, callback_token=token, callback_aes_key=key)


def test_an_event_is_verified_decrypted_and_flattened(tmp_path: Path) -> None:
    drop(tmp_path, "1", envelope(MESSAGE.format(change="add_external_contact")))
    (batch,) = wecom(tmp_path).read("events", None)
    row = batch.rows.row(0, named=True)
    assert len(row.pop("event_id")) == 64
    assert row == {
        "event": "change_external_contact",
        "change_type": "add_external_contact",
        "user_id": "zhangwei",
        "external_user_id": "wm1",
        "create_time": "1750000000",
    }
    assert batch.rejects is None


def test_a_callback_that_was_delivered_twice_has_one_id(tmp_path: Path) -> None:
    drop(tmp_path, "1", envelope(MESSAGE.format(change="a")))
    drop(tmp_path, "2", envelope(MESSAGE.format(change="a")))
    drop(tmp_path, "3", envelope(MESSAGE.format(change="a"), timestamp="1750000002"))
    (batch,) = wecom(tmp_path).read("events", None)
    first, second, third = batch.rows["event_id"]
    assert first == second != third


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (envelope(MESSAGE, token="forged"), "the signature is wrong"),
        (envelope(MESSAGE, corp="ww_other"), "another receiver"),
        (envelope("no xml"), "the decrypted message is not acceptable XML"),
        (envelope('<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>'), "EntitiesForbidden"),
        ("{}", "not an envelope"),
        ("[]", "not an envelope"),
        ("half a fi", "not an envelope"),
        (json.dumps({"query": {"msg_signature": "s", "timestamp": 1, "nonce": 2}, "body": None}), "the request body"),
    ],
)
def test_what_cannot_be_trusted_is_rejected_with_a_reason(tmp_path: Path, text: str, reason: str) -> None:
    drop(tmp_path, "1", text)
    drop(tmp_path, "2", envelope(MESSAGE.format(change="a")))
    (batch,) = wecom(tmp_path).read("events", None)
    assert batch.rows.height == 1, "one bad file does not stop the others"
    assert batch.rejects is not None
    ((position, given, payload),) = batch.rejects.rows()
    assert (position, payload) == ("1.json", text)
    assert reason in given


def test_only_new_files_are_read(tmp_path: Path) -> None:
    drop(tmp_path, "1", envelope(MESSAGE.format(change="a")))
    source = wecom(tmp_path)
    (first,) = source.read("events", None)
    assert list(source.read("events", first.cursor)) == []
    drop(tmp_path, "2", envelope(MESSAGE.format(change="b")))
    (second,) = source.read("events", first.cursor)
    assert second.rows["change_type"].to_list() == ["b"]
    assert not second.rereads


def test_a_file_that_arrives_late_under_an_earlier_name_is_not_lost(tmp_path: Path) -> None:
    drop(tmp_path, "2", envelope(MESSAGE.format(change="b")))
    source = wecom(tmp_path)
    (first,) = source.read("events", None)
    drop(tmp_path, "1", envelope(MESSAGE.format(change="late")))
    (second,) = source.read("events", first.cursor)
    assert second.rows["change_type"].to_list() == ["late", "b"]
    assert second.rereads


def test_a_rejected_callback_is_accepted_once_the_token_is_right(tmp_path: Path) -> None:
    drop(tmp_path, "1", envelope(MESSAGE.format(change="a")))
    (batch,) = wecom(tmp_path, token="wrong").read("events", None)
    assert batch.rejects is not None
    again = wecom(tmp_path).retry("events", batch.rejects)
    assert again is not None
    assert again.rows.height == 1
    assert again.rejects is None
    still = wecom(tmp_path, token="wrong").retry("events", batch.rejects)
    assert still is not None
    assert still.rejects is not None
    assert still.rejects.equals(batch.rejects)


def test_settings_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'callback_token'"):
        list(wecom(tmp_path, token=None).read("events", None))
    with pytest.raises(ConfigurationError, match="'callback_aes_key': the EncodingAESKey"):
        list(wecom(tmp_path, key="short").read("events", None))
    with pytest.raises(ConfigurationError, match="'inbox' names no folder"):
        list(wecom(tmp_path / "missing").read("events", None))
    assert list(wecom(None).read("events", None)) == []
