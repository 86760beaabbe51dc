"""Assets of one configured source: every stream is extracted, landed and loaded, and says how that went."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION as UNMADE
from pydantic import Field

from connectors.base import Connector, Stream
from connectors.catalog import KINDS, build_connector, declare_streams
from connectors.errors import ConnectorError, Unreachable
from orchestration.lib.limits import read_maximum
from orchestration.lib.stores import Stores
from orchestration.lib.unread import SYNCED, drop_stream, tell_misconfigured, tell_unread
from orchestration.lib.upkeep import FRESHNESS, OWNER
from orchestration.project import Project, ProjectError, SourceSettings
from warehouse.batches import Fates
from warehouse.errors import WarehouseError


class SyncConfig(dg.Config):
    """How a run treats one source."""

    mode: str = Field(default="incremental", description="incremental, full (from the beginning), or none (use what has landed)")


@dataclass(frozen=True)
class StreamSync:
    """What one stream brought in this run; `error` is the vendor's refusal, in our words, or what our own settings lack."""

    is_read: bool = False
    n_rows: int = 0
    n_repeats: int = 0
    drift: tuple[str, ...] = ()
    error: str | None = None
    is_unreachable: bool = False
    is_misconfigured: bool = False


def build_source_assets(project: Project, source: SourceSettings) -> dg.AssetsDefinition:
    """One multi-asset per source, one asset per stream; a stream that fails does not stop the others (decision 0003)."""
    streams = declare_streams(source.kind, source.settings, project.folder)
    keys = {stream.name: dg.AssetKey([source.name, stream.name]) for stream in streams}

    @dg.multi_asset(
        name=f"sync_{source.name}",
        specs=[
            dg.AssetSpec(
                keys[stream.name],
                description=stream.description,
                group_name=source.name,
                owners=[OWNER],
                kinds={KINDS[source.kind].icon, "parquet"},
                freshness_policy=FRESHNESS,
                metadata={"cursor": stream.cursor, "deletes": stream.deletes, "key": ", ".join(stream.key)},
            )
            for stream in streams
        ],
        check_specs=[
            dg.AssetCheckSpec(
                SYNCED, asset=key, blocking=True, description="The source was read in this run, or not too long ago."
            )
            for key in keys.values()
        ],
        can_subset=True,
    )
    def sync(context: dg.AssetExecutionContext, config: SyncConfig, stores: Stores) -> Iterator[Any]:
        chosen = [stream for stream in streams if keys[stream.name] in context.selected_asset_keys]
        for stream, outcome in _sync_streams(context, project, source, chosen, config.mode, stores):
            key, told = keys[stream.name], _describe(stores.load(source.name, stream), outcome)
            if outcome.is_read:
                yield dg.MaterializeResult(asset_key=key, metadata=told)
            else:
                yield from _pass_on(context, key, told)
            yield _judge_sync(context.run_id, key, outcome, stores)
        stores.read_sources.add(source.name)

    return sync


def _pass_on(context: dg.AssetExecutionContext, key: dg.AssetKey, told: dict[str, dg.MetadataValue]) -> Iterator[dg.Output[None]]:
    """What follows goes on with what has landed, but nothing was read: a materialisation would make the stream fresh.

    Steps after an output that is absent are skipped, and every output of an asset is a materialisation, save with this mark.
    """
    context.log_event(dg.AssetObservation(key, description="not read in this run", metadata=told))
    yield dg.Output(None, output_name=key.to_python_identifier(), metadata={UNMADE: True})


def _sync_streams(
    context: dg.AssetExecutionContext, project: Project, source: SourceSettings, streams: list[Stream], mode: str, stores: Stores
) -> Iterator[tuple[Stream, StreamSync]]:
    if mode == "none":
        yield from ((stream, StreamSync()) for stream in streams)
        return
    try:
        connector = _connect(project, source)
    except (ConnectorError, ProjectError) as error:
        context.log.warning(f"{source.name}: {error}")
        yield from ((stream, StreamSync(error=str(error), is_misconfigured=True)) for stream in streams)
        return
    unreachable: str | None = None
    try:
        for stream in streams:
            # a source that is down is waited for once, not once a stream
            if unreachable is None:
                outcome = _sync_stream(context, connector, stream, mode == "full", stores)
                unreachable = outcome.error if outcome.is_unreachable else None
            else:
                outcome = StreamSync(error=unreachable)
            yield stream, outcome
    finally:
        connector.close()


def _connect(project: Project, source: SourceSettings) -> Connector:
    settings = project.resolve_settings(source)
    if project.as_of is not None and "now" in KINDS[source.kind].settings:
        settings.setdefault("now", project.now().isoformat())
    return build_connector(source.kind, source.name, settings, project.folder)


def _sync_stream(
    context: dg.AssetExecutionContext, connector: Connector, stream: Stream, full: bool, stores: Stores
) -> StreamSync:
    n_batches = n_rows = n_repeats = 0
    drift: list[str] = []
    try:
        for batch in connector.read(stream.name, stores.read_cursor(connector.source, stream.name), full=full):
            landed = stores.land(connector.source, stream, batch, context.run_id)
            n_batches += 1
            n_rows += landed.n_rows
            n_repeats += landed.n_repeats
            drift += [str(change) for change in landed.schema_changes]
    except (ConnectorError, WarehouseError) as error:
        context.log.warning(f"{connector.source}.{stream.name}: {error}")
        is_unreachable = isinstance(error, Unreachable)
        reason = drop_stream(connector.source, str(error)) if is_unreachable else str(error)
        return StreamSync(False, n_rows, n_repeats, tuple(drift), reason, is_unreachable)
    if n_batches == 0:
        stores.note_read(connector.source, stream.name)
    context.log.info(f"{connector.source}.{stream.name}: {n_rows} rows landed, {n_repeats} already known")
    return StreamSync(True, n_rows, n_repeats, tuple(drift))


def _judge_sync(run_id: str, key: dg.AssetKey, outcome: StreamSync, stores: Stores) -> dg.AssetCheckResult:
    """A stream that could not be read warns only while what has landed is young (decision 0003); our own mistake is an error."""
    source, stream = key.path
    if outcome.error is None:
        return stores.judge(run_id, key, SYNCED, [])
    days = stores.days_since_sync(source, stream)
    if days is not None and outcome.is_misconfigured:
        return stores.judge(run_id, key, SYNCED, [tell_misconfigured(outcome.error)])
    age = None if days is None else timedelta(days=days)
    is_young = age is not None and age <= timedelta(hours=read_maximum("sync", "stale_hours"))
    return stores.judge(run_id, key, SYNCED, [tell_unread(source, stream, age, outcome.error)], warn=is_young)


def _describe(fates: Fates, outcome: StreamSync) -> dict[str, dg.MetadataValue]:
    numbers = {
        "landed now": outcome.n_rows,
        "already known": outcome.n_repeats,
        "rows in": fates.rows_in,
        "accepted": fates.accepted,
        "superseded": fates.superseded,
        "quarantined": fates.quarantined,
        "tombstoned": fates.tombstoned,
        "erased": fates.erased,
        "dagster/row_count": fates.accepted,
    }
    notes = {"drift": "; ".join(outcome.drift), "sync error": outcome.error}
    return {name: dg.MetadataValue.int(value) for name, value in numbers.items()} | {
        name: dg.MetadataValue.text(text) for name, text in notes.items() if text
    }
