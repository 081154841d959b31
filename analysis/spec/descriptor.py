"""The data package as the standard writes it: a descriptor to lie beside the tables that it describes.

Source: Data Package v2, https://datapackage.org/standard/data-package/. What the standard does not
have (grain, unit, origin, code list) is added under names of our own, which it allows.
"""

import json
from typing import Any

from analysis.spec.declarations import Spec
from analysis.spec.tables import Field, ForeignKey, Table

FILE = "datapackage.json"


def descriptor(spec: Spec, *, audience: str) -> bytes:
    """The descriptor of the open or of the closed tables, with paths relative to the folder it lies in.

    A foreign key to a table of another audience cannot be followed from there: it is kept under
    ``keysElsewhere``, which no tool follows.
    """
    tables = [table for table in spec.package.resources if table.audience == audience]
    body = {
        "$schema": spec.package.profile,
        "name": f"{spec.package.name}{'' if audience == 'open' else f'-{audience}'}",
        "title": spec.package.title,
        "version": spec.package.version,
        "resources": [_resource(table, spec, {each.name for each in tables}) for table in tables],
    }
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()


def _resource(table: Table, spec: Spec, beside: set[str]) -> dict[str, Any]:
    return {
        **{"name": table.name, "type": "table", "path": table.path.split("/", 1)[1]},
        **{"title": table.title, "grain": table.grain, "layer": table.layer},
        **{"format": "csv", "mediatype": "text/csv", "encoding": "utf-8"},
        "schema": _schema(table, spec, beside),
    }


def _schema(table: Table, spec: Spec, beside: set[str]) -> dict[str, Any]:
    keys = table.schema_.foreignKeys
    followed = [_key(key) for key in keys if key.reference.resource in beside]
    elsewhere = [_key(key) for key in keys if key.reference.resource not in beside]
    return {
        "fieldsMatch": table.schema_.fieldsMatch,
        "missingValues": [each.model_dump() for each in table.schema_.missingValues],
        "fields": [_field(field, spec) for field in table.fields],
        "primaryKey": list(table.key),
        **({"foreignKeys": followed} if followed else {}),
        **({"keysElsewhere": elsewhere} if elsewhere else {}),
    }


def _key(key: ForeignKey) -> dict[str, Any]:
    return key.model_dump(mode="json")


def _field(field: Field, spec: Spec) -> dict[str, Any]:
    """A code list becomes an enumeration beside the labels of its codes."""
    limits = {
        name: limit for name, limit in field.constraints.model_dump().items() if limit not in (None, False)
    }
    body = field.model_dump(exclude_none=True, exclude={"constraints"})
    if field.codelist:
        codes = spec.codes_of(field.codelist)
        limits["enum"] = list(codes)
        body["categories"] = [{"value": code, "label": each.label} for code, each in codes.items()]
    return {**body, **({"constraints": limits} if limits else {})}
