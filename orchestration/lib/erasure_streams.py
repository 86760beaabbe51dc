"""Where the records of customers and persons land and which of their fields are names; file streams say it by their feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.base import Stream
from connectors.catalog import declare_streams
from orchestration.project import Project
from warehouse.erasure.plan import Carrier

Names = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Vendor:
    stream: str
    entity: str
    field: str
    names: Names = ()
    company_names: Names = ()


_VENDORS = {
    "hubspot": (
        _Vendor("companies", "organisation", "id", company_names=(("name",),)),
        _Vendor("contacts", "person", "id", names=(("lastname", "firstname"),)),
    ),
    "u8": (
        _Vendor(
            "customers", "organisation", "cCusCode", names=(("cCusPerson",),), company_names=(("cCusName",), ("cCusAbbName",))
        ),
    ),
    "wecom": tuple(
        _Vendor(
            "external_contacts",
            entity,
            "external_userid",
            names=(("name",),),
            company_names=(("corp_name",), ("corp_full_name",), ("remark_corp_name",)),
        )
        for entity in ("organisation", "person")
    ),
}
_STAFF = {"hubspot": ("owners",), "u8": ("persons",), "wecom": ("users",)}
_FED = {"party": ("organisation", "party_id"), "person": ("person", "person_id")}
_NAME_COLUMNS = ("full_name", "contact_name")


@dataclass(frozen=True)
class ErasureStreams:
    """Every declared stream; those that carry records of the hub; those of colleagues."""

    declared: Mapping[tuple[str, str], Stream]
    carriers: tuple[Carrier, ...]
    staff: frozenset[tuple[str, str]]


def list_erasure_streams(project: Project) -> ErasureStreams:
    """Of all configured sources."""
    declared: dict[tuple[str, str], Stream] = {}
    carriers: list[Carrier] = []
    staff: set[tuple[str, str]] = set()
    for source in project.sources:
        streams = {stream.name: stream for stream in declare_streams(source.kind, source.settings, project.folder)}
        declared |= {(source.name, name): stream for name, stream in streams.items()}
        staff |= {(source.name, name) for name in _STAFF.get(source.kind, ())}
        for vendor in _VENDORS.get(source.kind, ()):
            stream = streams[vendor.stream]
            carriers.append(Carrier(source.name, stream, vendor.entity, vendor.field, vendor.names, vendor.company_names))
        for stream in streams.values():
            carriers += _read_feeds(source.name, stream)
            staff |= {(source.name, stream.name) for feed in stream.feeds if feed.entity == "rep"}
    return ErasureStreams(declared, tuple(carriers), frozenset(staff))


def _read_feeds(source: str, stream: Stream) -> list[Carrier]:
    carriers = []
    for feed in stream.feeds:
        columns = {name: field for name, field in feed.columns if not field.startswith("=")}
        entity, key = _FED.get(feed.entity, ("", ""))
        if key in columns:
            names = tuple((columns[name],) for name in _NAME_COLUMNS if name in columns)
            company = ((columns["company_name"],),) if "company_name" in columns else ()
            carriers.append(Carrier(source, stream, entity, columns[key], names, company))
    return carriers
