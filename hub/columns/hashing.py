"""Lasting hashes of texts: the same in every release of every library, for whole columns at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_LENGTH = np.uint64(0xD6E8FEB86659FD93)
#: texts hashed at once: what is held for each of their bytes stays in the cache
_SLICE = 16_384


def hash_texts(texts: pl.Series) -> Hashes:
    """64 bits per text: a polynomial in its UTF-8 bytes modulo 2**64, mixed (splitmix64). Null is hashed as ''."""
    texts = texts.cast(pl.String).fill_null("")
    pieces = [_hash_slice(texts.slice(start, _SLICE)) for start in range(0, len(texts), _SLICE)]
    return np.concatenate([np.zeros(0, dtype=np.uint64), *pieces])


def hash_rows(frame: pl.DataFrame, columns: Sequence[str], end: str = "") -> Hashes:
    """hash_texts of the columns, joined by a unit separator, and of `end`; the joined texts of a slice at a time are held."""
    joined = pl.concat_str(pl.concat_str(*columns, separator="\x1f"), pl.lit(end)).alias("joined")
    pieces = [_hash_slice(frame.slice(start, _SLICE).select(joined)["joined"]) for start in range(0, frame.height, _SLICE)]
    return np.concatenate([np.zeros(0, dtype=np.uint64), *pieces])


def _hash_slice(texts: pl.Series) -> Hashes:
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets_buffer, bytes_buffer = array.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
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
