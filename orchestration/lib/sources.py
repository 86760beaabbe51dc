"""Assets of one configured source: every stream is extracted, landed and loaded, and says how that went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from connectors.base import Connector, Stream
from connectors.catalog import build_connector, declare_streams
from connectors.errors import ConnectorError
from pydantic import Field

from orchestration.lib.stores import Stores
from orchestration.lib.translator import OWNER
from orchestration.project import Project, ProjectError, SourceSettings


class SyncConfig(dg.Config):
    """How a run treats one source."""

    mode: str = Field(default="incremental", description="incremental, full (from the beginning), or none (use what has landed)")
