"""Lasting hashes of texts: the same in every release of every library, for whole columns at once."""

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_LENGTH = np.uint64(0xD6E8FEB86659FD93)


def hash_texts(texts: pl.Series) -> Hashes:
    """64 bits per text: a polynomial in its UTF-8 bytes modulo 2**64, mixed (splitmix64). Null is hashed as ''."""
    array = texts.cast(pl.String).fill_null("").to_arrow(compat_level=pl.CompatLevel.oldest()).cast("large_string")
    _, offsets_buffer, bytes_buffer = array.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    if not len(array):
        return np.zeros(0, dtype=np.uint64)
    content = (
        np.frombuffer(bytes_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]] if bytes_buffer else np.zeros(0, dtype=np.uint8)
    )
    lengths = np.diff(offsets)
    longest = int(lengths.max(initial=0))
    powers = np.cumprod(np.full(longest + 1, _FACTOR, dtype=np.uint64))
    position = np.arange(len(content), dtype=np.int64) - np.repeat(offsets[:-1] - offsets[0], lengths)
    terms = np.append((content.astype(np.uint64) + np.uint64(1)) * powers[position], np.uint64(0))
    sums = np.add.reduceat(terms, np.minimum(offsets[:-1] - offsets[0], len(content)))
    sums[lengths == 0] = 0
    return _mix(sums ^ lengths.astype(np.uint64) * _LENGTH)


def _mix(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
