"""Errors of the stores. Each text says what happened, where, and what to do."""


class WarehouseError(Exception):
    """Anything that a store refuses."""


class HomeBusyError(WarehouseError):
    """Another process holds the run lock or the working file."""


class BatchRefusedError(WarehouseError):
    """A batch does not have the shape of a batch (reserved or typed columns, no key columns)."""


class TruncationRefusedError(WarehouseError):
    """The source's list of live ids shrank so much that it is more likely broken than true."""


class ContractError(WarehouseError):
    """A stream's contract or feed cannot be turned into SQL."""


class PublicationRefused(WarehouseError):
    """The run may not be published, or there is nothing to roll back to."""


class PublicationHeld(PublicationRefused):
    """What is served was rolled back to, and nobody has ended that yet."""
