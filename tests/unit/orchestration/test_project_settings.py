"""The project file and the environment: what is read, and how a mistake is named."""

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from hub.rules.read import load_rules
from orchestration.project import ProjectError, find_home, find_project_file, load_project

SOURCES = """
sources:
  crm:
    connector: hubspot
    token: ${CRM_TOKEN}
    calls_per_10s: 180
"""


def write(folder, text):
    path = folder / "goldthread.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_project_names_its_sources_with_settings_as_text(tmp_path):
    project = load_project(write(tmp_path, f"name: demo\n{SOURCES}"), tmp_path / "home")
    [source] = project.sources
    assert (source.name, source.kind) == ("crm", "hubspot")
    assert dict(source.settings) == {"token": "${CRM_TOKEN}", "calls_per_10s": "180"}
    assert (project.folder, project.home, project.truth) == (tmp_path, tmp_path / "home", None)


def test_a_variable_is_taken_from_the_environment_before_the_env_file(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "x.env").write_text("CRM_TOKEN=from-file\n")
    text = f'name: demo\nenv_file: "{{home}}/x.env"\n{SOURCES}'
    project = load_project(write(tmp_path, text), tmp_path / "home")
    monkeypatch.delenv("CRM_TOKEN", raising=False)
    assert project.resolve_settings(project.sources[0])["token"] == "from-file"
    monkeypatch.setenv("CRM_TOKEN", "from-environment")
    assert project.resolve_settings(project.sources[0])["token"] == "from-environment"


def test_a_missing_variable_is_named_with_its_source_when_it_is_used(tmp_path, monkeypatch):
    monkeypatch.delenv("CRM_TOKEN", raising=False)
    project = load_project(write(tmp_path, f"name: demo\n{SOURCES}"), tmp_path)
    with pytest.raises(ProjectError, match="source crm: the variable CRM_TOKEN is not set"):
        project.resolve_settings(project.sources[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: demo\nsources: {}\n", "at least one source"),
        (f"name: Has Space\n{SOURCES}", "name: "),
        (f"name: demo\nsorces: 1\n{SOURCES}", "sorces: "),
        ("name: demo\nsources:\n  crm: {token: x}\n", "sources.crm.connector: "),
        ("name: [\n", "is not valid YAML"),
        ("", "name: Field required"),
    ],
)
def test_a_mistake_in_the_project_file_is_named_with_its_place(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(ProjectError) as error:
        load_project(path, tmp_path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


def test_a_fixed_clock_is_read_in_utc_and_a_free_one_is_now(tmp_path):
    fixed = load_project(write(tmp_path, f"name: demo\nas_of: 2026-06-30T18:00:00+08:00\n{SOURCES}"), tmp_path)
    assert fixed.now() == datetime(2026, 6, 30, 10, tzinfo=UTC)
    free = load_project(write(tmp_path, f"name: demo\n{SOURCES}"), tmp_path)
    assert abs((free.now() - datetime.now(UTC)).total_seconds()) < 5


def test_a_clock_without_a_zone_is_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCK", "2026-06-30T18:00:00")
    project = load_project(write(tmp_path, f"name: demo\nas_of: ${{CLOCK}}\n{SOURCES}"), tmp_path)
    with pytest.raises(ProjectError, match=r"as_of: .* is no time with a zone"):
        project.now()


def test_a_folder_or_a_file_can_be_the_project_and_none_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDTHREAD_PROJECT", str(tmp_path))
    with pytest.raises(ProjectError, match=r"no project at .*goldthread\.yaml"):
        find_project_file()
    path = write(tmp_path, f"name: demo\n{SOURCES}")
    assert find_project_file() == path
    monkeypatch.setenv("GOLDTHREAD_PROJECT", str(path))
    assert find_project_file() == path


def test_the_home_is_one_setting_with_a_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOLDTHREAD_HOME", raising=False)
    assert find_home() == tmp_path / ".goldthread"
    monkeypatch.setenv("GOLDTHREAD_HOME", "elsewhere")
    assert find_home() == tmp_path / "elsewhere"


def write_rules(folder, change=("", ""), entity="organisation"):
    """The built-in rules of an entity as a file beside the project's, with one text replaced, and a project that names it."""
    text = files("hub").joinpath("rules", f"{entity}.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (folder / "own.toml").write_text(text.replace(*change, 1), encoding="utf-8")
    return write(folder, f"name: demo\nhub: {{organisation: own.toml}}\n{SOURCES}")


def test_a_project_without_rules_of_its_own_has_those_of_the_hub(tmp_path):
    project = load_project(write(tmp_path, f"name: demo\n{SOURCES}"), tmp_path)
    assert project.rules == {entity: load_rules(entity) for entity in ("organisation", "person")}


def test_a_project_takes_its_own_rules_with_aliases_from_beside_the_project_file(tmp_path):
    (tmp_path / "aliases.csv").write_text("alias,name\n旧名电子,上海新名电子有限公司\n", encoding="utf-8")
    table = '[aliases]\nfile = "aliases.csv"\n\n[weights]\n'
    project = load_project(write_rules(tmp_path, ("[weights]\n", table)), tmp_path / "home")
    [alias] = project.rules["organisation"].aliases
    assert alias.alias == "旧名电子"
    assert project.rules["person"] == load_rules("person")
    built_in = load_project(write(tmp_path, f"name: demo\n{SOURCES}"), tmp_path)
    ours, theirs = (one.rule_version.split("+") for one in (project, built_in))
    assert ours[0] != theirs[0]
    assert ours[1] == theirs[1]
    assert [project.find_entity(subject) for subject in ("cus_1", "per_1", "u8:1", "x")] == ["organisation", "person", None, None]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('entity = "organisation"', 'entity = "boat"'), "these are rules of 'boat'; name rules of 'organisation'"),
        (('id_prefix = "cus_"', 'id_prefix = "c_"'), "id_prefix: 'c_' would part the IDs from those of before; write 'cus_'"),
        (('attributes = ["industry"]', 'attributes = ["trade"]'), "survivors: the pipeline's tables need industry; take them"),
        (('"company_name: name.display"', '"company_name"'), "company_name must be taken from a field of kind company"),
        (
            ("[fields]\n", '[records]\nsource = "system"\n\n[fields]\n'),
            "records: the pipeline's columns are source and source_key",
        ),
        (("prior = -9.0", "proir = -9.0"), "weights: 'proir' is no level"),
    ],
)
def test_rules_that_the_pipeline_cannot_use_are_named_with_file_place_and_remedy(tmp_path, change, words):
    path = write_rules(tmp_path, change)
    with pytest.raises(ProjectError) as error:
        load_project(path, tmp_path)
    assert f"{path}: hub.organisation: {tmp_path / 'own.toml'}: " in str(error.value)
    assert words in str(error.value)


def test_a_rules_file_that_is_missing_and_an_entity_that_the_pipeline_has_not_are_named(tmp_path):
    with pytest.raises(ProjectError, match=r"hub\.person: .*none\.toml: cannot be read: No such file"):
        load_project(write(tmp_path, f"name: demo\nhub: {{person: none.toml}}\n{SOURCES}"), tmp_path)
    with pytest.raises(ProjectError, match=r"hub\.boat: "):
        load_project(write(tmp_path, f"name: demo\nhub: {{boat: own.toml}}\n{SOURCES}"), tmp_path)
