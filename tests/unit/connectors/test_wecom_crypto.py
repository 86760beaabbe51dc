"""WeCom's callback cryptography against the published vector."""

import pytest

from connectors.messaging.wecom_crypto import CallbackRejected, decode_key, decrypt, encrypt, is_signed, sign

TOKEN, CORP = "QDG6eK", "ww1436e0e65a779aee"
KEY = decode_key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
TIMESTAMP, NONCE, RANDOM = "1403610513", "1597212914", b"0123456789abcdef"
MESSAGE = "<xml><a>1</a></xml>"
ENCRYPTED = "Q3stYC6hdFzMh9T8HCvyDAuKynFZx72zvSsMzinYKQ9ea/IE0dYukshnFxijvKsFcm3N1uaGW3jW6pGVQElT4w=="
SIGNATURE = "5bba1f5d3320eb2752776d8b50c30d625811fab8"


def test_the_published_vector_is_reproduced() -> None:
    assert encrypt(MESSAGE, CORP, KEY, RANDOM) == ENCRYPTED
    assert sign(TOKEN, TIMESTAMP, NONCE, ENCRYPTED) == SIGNATURE
    assert decrypt(ENCRYPTED, CORP, KEY) == MESSAGE


def test_a_changed_signature_nonce_or_text_is_noticed() -> None:
    assert is_signed(SIGNATURE, TOKEN, TIMESTAMP, NONCE, ENCRYPTED)
    assert not is_signed(SIGNATURE[:-1] + "0", TOKEN, TIMESTAMP, NONCE, ENCRYPTED)
    assert not is_signed(SIGNATURE, TOKEN, TIMESTAMP, "1", ENCRYPTED)
    assert not is_signed(SIGNATURE, TOKEN, TIMESTAMP, NONCE, ENCRYPTED.replace("Q3", "Q4"))
    assert not is_signed("签名", TOKEN, TIMESTAMP, NONCE, ENCRYPTED)


def test_another_receiver_is_refused() -> None:
    with pytest.raises(CallbackRejected, match="another receiver"):
        decrypt(ENCRYPTED, "ww0000000000000000", KEY)


def test_another_key_is_refused() -> None:
    other = decode_key("A" * 43)
    with pytest.raises(CallbackRejected):
        decrypt(ENCRYPTED, CORP, other)


@pytest.mark.parametrize("broken", ["", "not base64!", "QUJD", ENCRYPTED[:-4], ENCRYPTED[24:]])
def test_damaged_text_is_refused(broken: str) -> None:
    with pytest.raises(CallbackRejected):
        decrypt(broken, CORP, KEY)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 31, 32, 500])
def test_any_length_survives_the_padding(length: int) -> None:
    message = "客" * length
    assert decrypt(encrypt(message, CORP, KEY), CORP, KEY) == message


@pytest.mark.parametrize("text", ["short", "!" * 43])
def test_a_wrong_aes_key_setting_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        decode_key(text)
