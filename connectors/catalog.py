"""The public door: connector kinds, the settings that each takes, and a connector built from plain texts.

Nothing is imported, opened or asked before a connector of that kind is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.base import Connector, Stream
from connectors.errors import ConfigurationError


@dataclass(frozen=True)
class Setting:
    """One setting of a connector kind. `is_secret`: never shown."""

    description: str
    required: bool = True
    is_secret: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of source system: what it is, its icon in the asset graph, and its settings by name."""

    description: str
    icon: str
    settings: Mapping[str, Setting]
    build: Callable[[str, Mapping[str, str], Path], Connector]
    declare: Callable[[Mapping[str, str], Path], tuple[Stream, ...]]


def build_connector(kind: str, source: str, settings: Mapping[str, str], base_dir: Path) -> Connector:
    """A connector for `source`; relative folders in its settings start at `base_dir`.

    Opens no connection. Raises ConfigurationError for an unknown kind and for an unknown, missing or empty setting.
    """
    found = _find_kind(kind, source)
    for name in settings:
        if name not in found.settings:
            raise ConfigurationError(f"{source}: connector '{kind}' has no setting '{name}'; it has {', '.join(found.settings)}")
    for name, setting in found.settings.items():
        if setting.required and not settings.get(name):
            raise ConfigurationError(f"{source}: setting '{name}' is missing or empty ({setting.description})")
    return found.build(source, settings, base_dir)


def declare_streams(kind: str, settings: Mapping[str, str], base_dir: Path) -> tuple[Stream, ...]:
    """The streams of a kind, without network and secrets; only files need a setting (`contracts`)."""
    return _find_kind(kind, kind).declare(settings, base_dir)


def _find_kind(kind: str, source: str) -> Kind:
    if kind not in KINDS:
        raise ConfigurationError(f"{source}: no connector '{kind}'; there are {', '.join(KINDS)}")
    return KINDS[kind]


def _build_hubspot(source: str, settings: Mapping[str, str], base_dir: Path) -> Connector:
    from connectors.crm.hubspot import connect

    return connect(source, {**settings, "url": settings["base_url"]})


def _declare_hubspot(settings: Mapping[str, str], base_dir: Path) -> tuple[Stream, ...]:
    from connectors.crm.hubspot_streams import STREAMS

    return STREAMS


def _build_wecom(source: str, settings: Mapping[str, str], base_dir: Path) -> Connector:
    from connectors.messaging.wecom import connect

    inbox = {"inbox": str(base_dir / settings["inbox"])} if settings.get("inbox") else {}
    return connect(source, {**settings, **inbox, "url": settings["base_url"]})


def _declare_wecom(settings: Mapping[str, str], base_dir: Path) -> tuple[Stream, ...]:
    from connectors.messaging.wecom_streams import STREAMS

    return STREAMS


def _build_u8(source: str, settings: Mapping[str, str], base_dir: Path) -> Connector:
    from connectors.erp.u8 import U8

    return U8(source, settings["url"], schema=settings.get("schema") or "public")


def _declare_u8(settings: Mapping[str, str], base_dir: Path) -> tuple[Stream, ...]:
    from connectors.erp.u8_streams import STREAMS

    return STREAMS


def _build_files(source: str, settings: Mapping[str, str], base_dir: Path) -> Connector:
    from connectors.files.connector import Files

    return Files(source, base_dir / settings["folder"], base_dir / settings["contracts"])


def _declare_files(settings: Mapping[str, str], base_dir: Path) -> tuple[Stream, ...]:
    from connectors.files.contract import read_contracts

    if not settings.get("contracts"):
        raise ConfigurationError("files: setting 'contracts' is missing (folder of the YAML contracts)")
    return tuple(contract.declare() for contract in read_contracts(base_dir / settings["contracts"]))


NOW = Setting("what the source takes for now, ISO 8601 with zone; unset: the clock", required=False)
KINDS: dict[str, Kind] = {
    "hubspot": Kind(
        "HubSpot CRM: companies, contacts, leads, deals with stage history, engagements, tickets.",
        "hubspot",
        {
            "base_url": Setting("https://api.hubapi.com"),
            "token": Setting("private app token", is_secret=True),
            "api_version": Setting("v3 if unset", required=False),
            "calls_per_10s": Setting("rate budget, 100 if unset", required=False),
            "searches_per_second": Setting("rate budget, 4 if unset", required=False),
            "now": NOW,
        },
        _build_hubspot,
        _declare_hubspot,
    ),
    "wecom": Kind(
        "WeCom: departments, users, external contacts, tags, check-ins, approvals, callback events.",
        "wechat",
        {
            "base_url": Setting("https://qyapi.weixin.qq.com"),
            "corp_id": Setting("id of the company"),
            "secret": Setting("secret of the application", is_secret=True),
            "inbox": Setting("folder into which the callback receiver writes", required=False),
            "callback_token": Setting("token of the callback", required=False, is_secret=True),
            "callback_aes_key": Setting("EncodingAESKey of the callback, 43 characters", required=False, is_secret=True),
            "history_days": Setting("how far the first read goes back, 400 if unset", required=False),
            "calls_per_minute": Setting("rate budget of check-ins and approvals, 600 if unset", required=False),
            "now": NOW,
        },
        _build_wecom,
        _declare_wecom,
    ),
    "u8": Kind(
        "Yonyou U8 by SQL: customers, staff, products, quotes, orders, deliveries, invoices, receipts, stock.",
        "postgres",
        {
            "url": Setting("postgresql://user:password@host:5432/database", is_secret=True),
            "schema": Setting("schema of the tables, public if unset", required=False),
        },
        _build_u8,
        _declare_u8,
    ),
    "files": Kind(
        "Spreadsheets, exports and form posts, mapped by YAML contracts.",
        "file",
        {
            "folder": Setting("folder of the files"),
            "contracts": Setting("folder of the YAML contracts"),
        },
        _build_files,
        _declare_files,
    ),
}
