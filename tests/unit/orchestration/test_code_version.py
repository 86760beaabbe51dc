from importlib.metadata import version

from orchestration.lib.inputs import describe_code, fingerprint_code

MANIFEST = {"nodes": {"model.goldthread.a": {"checksum": {"checksum": "1"}}}, "macros": {}}
CHANGED = {"nodes": {"model.goldthread.a": {"checksum": {"checksum": "2"}}}, "macros": {}}


def test_the_code_version_holds_the_package_version_and_changes_with_a_model():
    described = describe_code(fingerprint_code(MANIFEST))
    package, _, fingerprint = described.partition("+")
    assert package == version("goldthread")
    assert (len(fingerprint), described) == (12, describe_code(fingerprint_code(MANIFEST)))
    assert described != describe_code(fingerprint_code(CHANGED))
