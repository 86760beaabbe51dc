"""People who decide about records of small hubs, and runs that must break no invariant."""

from datetime import timedelta

from hub.clustering.bonds import read_guards
from hub.decide import Book
from hub.invariants import Limits, check_invariants
from hub.rules.read import load_rules
from tests.unit.hub.conftest import DAY_ONE

#: in these small hubs a decision changes the ids of many
LAX = Limits(max_share_ids_changed=1.0)


def ref(number):
    return ("crm", f"k{number:04d}")


def owners(result):
    return dict(result.crosswalk.filter("is_current").select("source_key", "gid").iter_rows())


def run(hub, records, people=None, **options):
    """A run that breaks no invariant."""
    before = hub.history
    result = hub.run(records, decisions=people.book.log if people else None, **options)
    assert check_invariants(result, records, LAX, before) == []
    return result


class People:
    """Somebody who decides, on the days after the first."""

    def __init__(self, records=None, entity="organisation"):
        guards = None if records is None else read_guards(records, load_rules(entity))
        self.book = Book(entity, None, guards)
        self.day = 0

    def say(self, kind, a, b, reason="knows them"):
        self.day += 1
        return self.book.decide(kind, a, b, actor="李明", reason=reason, at=DAY_ONE + timedelta(days=self.day))

    def move(self, records, to, rest, reason="knows them"):
        self.day += 1
        return self.book.move(records, to, rest, actor="李明", reason=reason, at=DAY_ONE + timedelta(days=self.day))

    def undo(self, decision_id):
        self.day += 1
        return self.book.undo(decision_id, actor="王芳", reason="was wrong", at=DAY_ONE + timedelta(days=self.day))
