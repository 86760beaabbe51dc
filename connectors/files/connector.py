"""A folder of files as a source: each YAML contract is a stream over the files that its glob matches.

Cursor: `{"files": {name relative to the folder: SHA-256}, "contract": fingerprint}`. A file is read when its content is
new; a changed one is read again as a whole (identical rows are dropped when they land). A contract that cuts files
differently makes every file be read again. A file that cannot be read is one reject that names it, never stops the
others, and is tried again at every sync. Deletes: none; what a file once said stays known. Only what of it is in quarantine
goes when the file says so no longer: when it was changed, or is gone and no other file has its content.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from connectors.base import Batch, Cursor, Stream
from connectors.errors import ConfigurationError
from connectors.files.contract import Contract, read_contracts
from connectors.files.parsed import FileRefusedError, Parsed, Reject, frame_rejects
from connectors.files.readers import read_file, read_piece

BATCH_ROWS = 50_000
BATCH_FILES = 500
# editors' locks and files that are still being written
UNFINISHED = ("~$", ".")
UNFINISHED_SUFFIXES = (".tmp", ".part", ".crdownload")


class Files:
    """The files of one folder, read by the contracts of another."""

    def __init__(self, source: str, folder: Path, contracts: Path, *, batch_rows: int = BATCH_ROWS) -> None:
        self.source = source
        self._folder = folder
        self._contracts = {contract.stream: contract for contract in read_contracts(contracts)}
        self._batch_rows = batch_rows

    def streams(self) -> tuple[Stream, ...]:
        """One stream per contract."""
        return tuple(contract.declare() for contract in self._contracts.values())

    def read(self, stream: str, cursor: Cursor | None, *, full: bool = False) -> Iterator[Batch]:
        """New and changed files in the order of their names, several to a batch."""
        contract = self._contract(stream)
        fingerprint = contract.fingerprint()
        known = dict(cursor["files"]) if cursor else {}
        stale = full or (cursor is not None and cursor.get("contract") != fingerprint)
        manifest = Manifest({} if stale else known)
        gathered, refused = Gathered(), []
        paths = {path.relative_to(self._folder).as_posix(): path for path in self._find(contract)}
        copies = Counter(known.values())
        read: set[str] = set()
        for name, path in paths.items():
            parsed = self._read(contract, path, name, manifest)
            if parsed is not None and is_refusal(parsed, name):
                refused.append(parsed)
                continue
            if parsed is not None:
                read.add(name)
                gathered.add(parsed, reread=name in known)
            is_changed = manifest.files[name] != known.get(name)
            # what a copy still says is in quarantine under the name that was read
            if (parsed is not None or is_changed) and not (is_changed and copies[known.get(name, "")] > 1):
                gathered.replace(name, reread=name in known)
            if gathered.is_full(self._batch_rows):
                yield gathered.make_batch(stream, manifest, fingerprint)
                gathered = Gathered()
        for parsed in refused:
            gathered.add(parsed, reread=True)
        # an empty folder that held several files is more likely not mounted than cleared
        is_believed = bool(paths) or len(known) < 2
        if is_believed:
            for name in manifest.forget_gone(known, set(paths), read):
                gathered.replace(name, reread=True)
        yield gathered.make_batch(stream, manifest, fingerprint, lists_refused=is_believed)

    def retry(self, stream: str, rejects: pl.DataFrame) -> Batch | None:
        """Each reject again under today's contract; what still fails comes back as a reject with its old position."""
        contract = self._contract(stream)
        gathered = Gathered()
        for position, reason, payload in rejects.select("position", "reason", "payload").iter_rows():
            parsed = self._retry(contract, position, reason, payload or "")
            if parsed is not None:
                gathered.add(parsed, reread=True)
        return gathered.make_batch(stream, Manifest({}), contract.fingerprint())

    def close(self) -> None:
        """Nothing stays open."""

    def _contract(self, stream: str) -> Contract:
        if stream not in self._contracts:
            raise ConfigurationError(f"{self.source}: no stream '{stream}'; there are {', '.join(self._contracts)}")
        return self._contracts[stream]

    def _find(self, contract: Contract) -> list[Path]:
        if not self._folder.is_dir():
            raise ConfigurationError(f"{self.source}: folder {self._folder} does not exist; correct setting 'folder'")
        return sorted(
            path
            for path in self._folder.glob(contract.files)
            if path.is_file() and not path.name.startswith(UNFINISHED) and not path.name.endswith(UNFINISHED_SUFFIXES)
        )

    def _read(self, contract: Contract, path: Path, name: str, manifest: Manifest) -> Parsed | None:
        """What a file holds, None if its content is known; it enters the manifest unless it is refused."""
        digest = ""
        try:
            data = path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            parsed = None if manifest.knows(digest) else read_file(contract, data, name)
        except OSError as error:
            return refuse_file(name, digest, f"cannot be opened: {error.strerror}; grant read access")
        except FileRefusedError as error:
            return refuse_file(name, digest, str(error))
        manifest.add(name, digest)
        return parsed

    def _retry(self, contract: Contract, position: str, reason: str, payload: str) -> Parsed | None:
        name, _, place = position.rpartition(":")
        if not name or not place.isdigit():
            path = self._folder / position
            if path.is_file():
                return self._read(contract, path, position, Manifest({}))
            return make_reject(Reject(position, reason, payload))
        try:
            parsed = read_piece(contract, payload, position)
        except FileRefusedError as error:
            return make_reject(Reject(position, str(error), payload))
        still = [Reject(position, why, payload) for why in parsed.rejects["reason"]]
        return replace(parsed, rejects=frame_rejects(still))


class Manifest:
    """Which content of which file has been read."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = dict(files)
        self._digests = set(files.values())

    def knows(self, digest: str) -> bool:
        """Whether a file with this content was read, under whatever name."""
        return digest in self._digests

    def add(self, name: str, digest: str) -> None:
        """Note that this content was read."""
        self.files[name] = digest
        self._digests.add(digest)

    def forget_gone(self, known: Mapping[str, str], listed: set[str], read: set[str]) -> list[str]:
        """Forget the files that are not listed any more, and name them. One whose content a listed file has that was not
        read for itself stays: that content is known by its name."""
        held = {self.files[name] for name in listed - read if name in self.files} - {self.files[name] for name in read}
        unlisted = {name: digest for name, digest in {**known, **self.files}.items() if name not in listed}
        gone = [name for name, digest in unlisted.items() if digest not in held]
        self.files = {**self.files, **unlisted}
        for name in gone:
            del self.files[name]
        return gone


class Gathered:
    """What several files hold, on its way to one batch."""

    def __init__(self) -> None:
        self._parts: list[Parsed] = []
        self._rereads = False
        self._replaces: list[str] = []

    def add(self, parsed: Parsed, *, reread: bool) -> None:
        """Take what one file gave. A refused file is refused again at the next sync, so its reject may repeat."""
        self._parts.append(parsed)
        self._rereads |= reread or parsed.rejects.height > 0

    def replace(self, name: str, *, reread: bool) -> None:
        """All that the source has of a file is here."""
        self._replaces.append(name)
        self._rereads |= reread

    def is_full(self, batch_rows: int) -> bool:
        """Enough for one batch."""
        return len(self._parts) >= BATCH_FILES or sum(part.rows.height for part in self._parts) >= batch_rows

    def make_batch(self, stream: str, manifest: Manifest, fingerprint: str, *, lists_refused: bool = False) -> Batch:
        """The batch, with the manifest as it stands after its files."""
        rows = [part.rows for part in self._parts if part.rows.height]
        rejects = [part.rejects for part in self._parts if part.rejects.height]
        return Batch(
            stream=stream,
            rows=pl.concat(rows, how="diagonal") if rows else pl.DataFrame(),
            cursor={"files": dict(manifest.files), "contract": fingerprint},
            rejects=pl.concat(rejects) if rejects else None,
            rereads=self._rereads,
            replaces=tuple(self._replaces),
            lists_refused=lists_refused,
        )


def refuse_file(name: str, digest: str, reason: str) -> Parsed:
    """A file as one reject, which differs when the file does."""
    payload = json.dumps({"file": name, "sha256": digest}, ensure_ascii=False)
    return make_reject(Reject(name, f"{name}: {reason}", payload))


def is_refusal(parsed: Parsed, name: str) -> bool:
    """Whether the file was refused as a whole."""
    return parsed.rejects["position"].to_list() == [name]


def make_reject(reject: Reject) -> Parsed:
    """One reject and no rows."""
    return Parsed(pl.DataFrame(), pl.Series([], dtype=pl.Int64), frame_rejects([reject]))
