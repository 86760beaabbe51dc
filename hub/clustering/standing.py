"""What the standing decisions say together: which records are one by merges, and which may never be."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

RecordRef = tuple[str, str]
_WORDS = {"merge": "merged", "split": "split", "never": "kept apart"}


@dataclass(frozen=True)
class Decision:
    """A decision as it was made, or one half of a move."""

    decision_id: str
    kind: str
    group_a: tuple[RecordRef, ...]
    group_b: tuple[RecordRef, ...]
    actor: str
    reason: str
    at: datetime
    is_move: bool = False

    def describe(self) -> str:
        """Who, when, why: `merged by li on 2026-01-31: same phone`."""
        word = "moved" if self.is_move else _WORDS[self.kind]
        return f"{word} by {self.actor} on {self.at:%Y-%m-%d}: {self.reason or 'no reason given'}"


def join_moves(decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions, oldest first, with the halves of moves marked as such: a split and a merge of one id.

    A move keeps records from those that they left behind, but for those that were moved themselves since.
    """
    halves = Counter(decision.decision_id for decision in decisions)
    moved: set[RecordRef] = set()
    joined = []
    for decision in reversed(decisions):
        if halves[decision.decision_id] > 1:
            left = tuple(record for record in decision.group_b if decision.kind == "merge" or record not in moved)
            decision = replace(decision, group_b=left, is_move=True)
            moved.update(decision.group_a)
        joined.append(decision)
    return [decision for decision in reversed(joined) if decision.group_b]


class Standing:
    """Decisions that do not contradict each other; records that no decision names are alone."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._parent: dict[RecordRef, RecordRef] = {}
        self._members: dict[RecordRef, list[RecordRef]] = {}
        self._merges: dict[RecordRef, list[Decision]] = {}
        self._nevers: dict[RecordRef, list[Decision]] = {}
        for decision in decisions:
            self.add(decision)

    def add(self, decision: Decision) -> None:
        """One more, that contradicts none."""
        named = (*decision.group_a, *decision.group_b)
        kept = self._merges if decision.kind == "merge" else self._nevers
        for record in dict.fromkeys(named):
            kept.setdefault(record, []).append(decision)
            if decision.kind == "merge":
                self._join(named[0], record)

    def find_root(self, record: RecordRef) -> RecordRef:
        """The same for all records that merges make one."""
        path = []
        while (parent := self._parent.get(record, record)) != record:
            path.append(record)
            record = parent
        for passed in path:
            self._parent[passed] = record
        return record

    def list_one(self, records: Iterable[RecordRef]) -> set[RecordRef]:
        """The records and all that merges make one with any of them."""
        roots = {self.find_root(record) for record in records}
        return {member for root in roots for member in self._members.get(root, [root])}

    def are_one(self, records: Iterable[RecordRef]) -> bool:
        """Whether merges alone make them one."""
        return len({self.find_root(record) for record in records}) == 1

    def find_never(self, records: Iterable[RecordRef]) -> Decision | None:
        """A decision that keeps records apart which a merge of all these would unite."""
        whole = self.list_one(records)
        for record in sorted(whole & self._nevers.keys()):
            for decision in self._nevers[record]:
                if whole.intersection(decision.group_a) and whole.intersection(decision.group_b):
                    return decision
        return None

    def find_link(self, a: Sequence[RecordRef], b: Sequence[RecordRef]) -> tuple[RecordRef, RecordRef] | None:
        """A record of each group that merges make one."""
        roots = {self.find_root(record): record for record in reversed(a)}
        return next(((roots[root], record) for record in b if (root := self.find_root(record)) in roots), None)

    def find_apart(self, a: Iterable[RecordRef], b: Iterable[RecordRef]) -> Decision | None:
        """A decision that keeps every record of one group from every record of the other, and is no move: that keeps apart only
        until the others are moved too."""
        first, second = ({self.find_root(record) for record in group} for group in (a, b))
        candidates = {
            one.decision_id: one
            for record in sorted(self.list_one(first) & self._nevers.keys())
            for one in self._nevers[record]
            if not one.is_move
        }
        for decision in candidates.values():
            left, right = ({self.find_root(record) for record in group} for group in (decision.group_a, decision.group_b))
            if (first <= left and second <= right) or (first <= right and second <= left):
                return decision
        return None

    def find_path(self, start: RecordRef, end: RecordRef) -> list[Decision]:
        """The fewest merges that make two records one."""
        came: dict[RecordRef, tuple[RecordRef, Decision] | None] = {start: None}
        waiting = deque([start])
        while waiting and end not in came:
            here = waiting.popleft()
            for decision in self._merges.get(here, []):
                for there in (*decision.group_a, *decision.group_b):
                    if there not in came:
                        came[there] = (here, decision)
                        waiting.append(there)
        path: list[Decision] = []
        step = came.get(end)
        while step is not None:
            path.append(step[1])
            step = came[step[0]]
        return path[::-1]

    def _join(self, one: RecordRef, other: RecordRef) -> None:
        first, second = self.find_root(one), self.find_root(other)
        if first == second:
            self._members.setdefault(first, [first])
            return
        larger, smaller = self._members.setdefault(first, [first]), self._members.setdefault(second, [second])
        if len(larger) < len(smaller):
            first, second, larger, smaller = second, first, smaller, larger
        self._parent[second] = first
        larger += self._members.pop(second)
