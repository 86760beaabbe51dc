"""The door through which the rest of the project builds connectors."""

from pathlib import Path

import pytest

from connectors.catalog import KINDS, build_connector, declare_streams
from connectors.errors import ConfigurationError

HERE = Path()
SETTINGS = {
    "hubspot": {"base_url": "http://127.0.0.1:9", "token": "t"},
    "wecom": {"base_url": "http://127.0.0.1:9", "corp_id": "c", "secret": "s", "inbox": "in"},
    "u8": {"url": "postgresql://u:p@127.0.0.1:9/x"},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "cards.yaml").write_text(
        "stream: cards\nfiles: '*.csv'\nformat: csv\nkey: [id]\ncolumns: {id: {}}\n", encoding="utf-8"
    )
    return tmp_path


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_connector_declares_what_its_kind_declares_without_network(kind: str, tmp_path: Path) -> None:
    connector = build_connector(kind, "src", SETTINGS[kind], tmp_path)
    assert connector.source == "src"
    assert connector.streams() == declare_streams(kind, {}, tmp_path)
    connector.close()


def test_folders_are_relative_to_the_project(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "a.csv").write_text("id\n1\n")
    connector = build_connector("files", "forms", {"folder": "data", "contracts": "contracts"}, project)
    (batch,) = connector.read("cards", None)
    assert batch.rows["id"].to_list() == ["1"]
    assert [stream.name for stream in declare_streams("files", {"contracts": "contracts"}, project)] == ["cards"]


def test_a_missing_setting_names_source_and_setting() -> None:
    with pytest.raises(ConfigurationError, match="crm: setting 'token' is missing or empty"):
        build_connector("hubspot", "crm", {"base_url": "http://x", "token": ""}, HERE)


def test_an_unknown_setting_shows_those_that_exist() -> None:
    with pytest.raises(ConfigurationError, match="erp: connector 'u8' has no setting 'uri'; it has url, schema"):
        build_connector("u8", "erp", {"uri": "x"}, HERE)


def test_an_unknown_kind_shows_those_that_exist() -> None:
    with pytest.raises(ConfigurationError, match="crm: no connector 'salesforce'; there are hubspot, wecom, u8, files"):
        build_connector("salesforce", "crm", {}, HERE)


def test_secrets_are_marked() -> None:
    secret = {name for kind in KINDS.values() for name, setting in kind.settings.items() if setting.is_secret}
    assert secret == {"token", "secret", "callback_token", "callback_aes_key", "url"}
