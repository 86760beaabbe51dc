"""Decisions about the records of a hub in a folder: made on its newest version, kept in the folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.clustering.bonds import read_guards
from hub.decide import DecisionError
from hub.kept.increment import find_present
from hub.kept.outcome import write_pair_evidence
from hub.kept.state import State
from hub.model import read_model
from hub.rules.model import Rules
from hub.store import hold_lock, read_decisions, read_state, read_table, write_decisions
from orchestration.lib.desk import Desk, Record
from orchestration.project import ProjectError

_SCHEMA = {"source": pl.String, "source_key": pl.String}


class Folder:
    """A hub's folder as the place where people decide (orchestration.lib.desk.Office), and who is who in it (Register)."""

    def __init__(self, folder: Path, rules: Rules) -> None:
        self._folder, self._rules = folder, rules
        self.model = read_model(folder, rules)
        self.effect = f"takes effect with the next `goldthread resolve [FILE ...] --hub {folder} --out DIR`"

    @cached_property
    def state(self) -> State:
        return read_state(self._folder)

    def choose_entity(self, name: str, *subjects: str) -> str:
        return self._rules.entity

    @contextmanager
    def open_desk(self, entity: str) -> Iterator[Desk]:
        with hold_lock(self._folder):
            desk = Desk(self, entity, self.read_log())
            try:
                yield desk
            except DecisionError as error:
                raise ProjectError(str(error)) from error
            write_decisions(self._folder, desk.book.log)

    def read_log(self) -> pl.DataFrame:
        return read_decisions(self._folder)

    def read_decisions(self) -> pl.DataFrame:
        """What people decided, with what became of each (hub.resolve.Resolution)."""
        return read_table(self._folder, "decisions")

    def read_applied(self) -> pl.DataFrame:
        return self.read_decisions().select("decision_id", "state", "waits_for")

    def read_queue(self, entity: str) -> pl.DataFrame:
        queue = read_table(self._folder, "review")
        evidence = write_pair_evidence(self.state, queue, self._rules, self.model)
        ids = {
            f"id_{side}": [
                self.find_holder(record) for record in queue.select(f"source_{side}", f"source_key_{side}").iter_rows()
            ]
            for side in "ab"
        }
        return queue.with_columns(evidence, **{name: pl.Series(found, dtype=pl.String) for name, found in ids.items()})

    def read_golden(self, entity: str, ids: pl.Series) -> pl.DataFrame:
        return self.state.golden.filter(pl.col("gid").is_in(ids.implode()))

    def read_records(self, entity: str, wanted: pl.DataFrame) -> pl.DataFrame:
        return self.state.records.select(pl.all().gather(find_present(self.state, wanted)["row"]))

    def read_guards(self, wanted: pl.DataFrame) -> pl.DataFrame:
        return read_guards(self.read_records(self._rules.entity, wanted), self._rules)

    def find_rows(self, records: Sequence[Record]) -> npt.NDArray[np.int64]:
        """The rows of the state that hold those of some records that there are."""
        return find_present(self.state, pl.DataFrame(records, schema=_SCHEMA, orient="row"))["row"].to_numpy()

    def find_holder(self, record: Record) -> str | None:
        rows = self.find_rows([record])
        return str(self.state.issued["gid"][int(self.state.owner[rows[0]])]) if len(rows) else None

    def follow(self, gid: str) -> str:
        found = self.state.ids.filter(pl.col("gid") == gid)["target_gid"].drop_nulls()
        return str(found[0]) if len(found) else gid

    def list_members(self, gid: str) -> list[Record]:
        place = self.state.issued.select((pl.col("gid") == gid).arg_true()).to_series()
        if not len(place):
            return []
        rows = np.flatnonzero((self.state.owner == place[0]) & self.state.alive)
        return (
            self.state.records.select(pl.col("source", "source_key").gather(pl.Series(rows))).sort("source", "source_key").rows()
        )
