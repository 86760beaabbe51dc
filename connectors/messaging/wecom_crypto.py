"""WeCom's callback cryptography: signature, AES-256-CBC, receiver id.

signature = sha1(sorted(token, timestamp, nonce, encrypt) joined); key = base64(EncodingAESKey + "="), IV = its first 16
bytes, PKCS#7 to blocks of 32; plain text = 16 random bytes + length (4 bytes, big endian) + message + receiver id.
DingTalk uses the same.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

BLOCK = 32
RANDOM_BYTES = 16
LENGTH_BYTES = 4
KEY_BYTES = 32


class CallbackRejected(Exception):
    """The callback is not what the vendor would send to us; the message says why."""


def sign(token: str, timestamp: str, nonce: str, encrypt: str) -> str:
    """The `msg_signature` of an encrypted text, in hex."""
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypt])).encode(), usedforsecurity=False).hexdigest()


def is_signed(signature: str, token: str, timestamp: str, nonce: str, encrypt: str) -> bool:
    """Whether the signature is right, compared in constant time."""
    return hmac.compare_digest(signature.encode(), sign(token, timestamp, nonce, encrypt).encode())


def decode_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes behind the 43 characters of an EncodingAESKey. Raises ValueError."""
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except binascii.Error as exc:
        raise ValueError("the EncodingAESKey is not base64") from exc
    if len(key) != KEY_BYTES:
        raise ValueError(f"the EncodingAESKey must have 43 characters, not {len(encoding_aes_key)}")
    return key


def encrypt(message: str, receiver_id: str, key: bytes, random: bytes | None = None) -> str:
    """The base64 text that carries `message` to `receiver_id`; `random` is for test vectors."""
    body = message.encode()
    plain = (random or secrets.token_bytes(RANDOM_BYTES)) + len(body).to_bytes(LENGTH_BYTES, "big") + body + receiver_id.encode()
    padding = BLOCK - len(plain) % BLOCK
    return base64.b64encode(
        _run(Cipher(algorithms.AES(key), _mode(key)).encryptor(), plain + bytes([padding]) * padding)
    ).decode()


def decrypt(encrypted: str, receiver_id: str, key: bytes) -> str:
    """The message in `encrypted`. Raises CallbackRejected if it is malformed or meant for another receiver."""
    try:
        sealed = base64.b64decode(encrypted, validate=True)
        plain = _run(Cipher(algorithms.AES(key), _mode(key)).decryptor(), sealed)
    except ValueError:
        raise CallbackRejected("the encrypted text is not base64 of whole AES blocks") from None
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise CallbackRejected("the text does not decrypt with our EncodingAESKey")
    content = plain[RANDOM_BYTES:-padding]
    length = int.from_bytes(content[:LENGTH_BYTES], "big")
    message, receiver = content[LENGTH_BYTES : LENGTH_BYTES + length], content[LENGTH_BYTES + length :]
    if len(content) < LENGTH_BYTES + length or not hmac.compare_digest(receiver, receiver_id.encode()):
        raise CallbackRejected("the message is meant for another receiver id than our corp id")
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise CallbackRejected("the decrypted message is not UTF-8") from None


def _mode(key: bytes) -> modes.CBC:
    return modes.CBC(key[:RANDOM_BYTES])


def _run(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()
