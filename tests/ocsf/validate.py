"""Checks documents against OCSF's own schemas; called by `validate` beside it."""

import copy
import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSIONS = ("1.5.0", "1.8.0")


def validator(version):
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    return Draft202012Validator(schema.get_class_schema("detection_finding", ["incident"]))


def faults(checker, document):
    errors = sorted(checker.iter_errors(document), key=lambda error: list(map(str, error.path)))
    return [f"{'/'.join(map(str, error.path)) or '.'}: {error.message[:200]}" for error in errors]


def planted(document):
    """Three documents that no version may accept."""
    unknown = copy.deepcopy(document)
    unknown["finding_info"]["foreign"] = 1
    missing = copy.deepcopy(document)
    del missing["finding_info"]
    wrong = copy.deepcopy(document)
    wrong["severity_id"] = 7
    return {"an unknown field": unknown, "a missing field": missing, "a wrong value": wrong}


def main(paths):
    status = 0
    documents = []
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                documents.append((path, json.load(file)))
        except (OSError, ValueError) as fault:
            print(f"{path}: {fault}", file=sys.stderr)
            return 2
    for version in VERSIONS:
        checker = validator(version)
        for name, document in planted(documents[0][1]).items():
            if not faults(checker, document):
                print(f"OCSF {version}: the validator accepts {name}", file=sys.stderr)
                return 2
        for path, document in documents:
            found = faults(checker, document)
            for fault in found:
                print(f"{path}: OCSF {version}: {fault}", file=sys.stderr)
            status = status or int(bool(found))
    if status == 0:
        print(f"{len(documents)} alerts are valid OCSF {' and '.join(VERSIONS)}")
    return status


sys.exit(main(sys.argv[1:]))
