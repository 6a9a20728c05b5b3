"""Holds every answer that the tests get against `openapi.yml`: the status is declared, the body has the declared shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from backend import server

__all__ = ["CONTRACT", "check_answer", "check_shape"]

CONTRACT: dict[str, Any] = yaml.safe_load(Path(server.__file__).with_name("openapi.yml").read_text("utf-8"))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def check_answer(method: str, path: str, status: int, content_type: str, body: Any) -> None:
    operation = next(
        (
            methods[method.lower()]
            for template, methods in CONTRACT["paths"].items()
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in methods
        ),
        None,
    )
    if operation is None:
        assert status in (404, 405)
        return
    declared = operation["responses"]
    response = resolve(declared.get(str(status), declared["default"]))
    assert str(status) in declared or status >= 400, f"{method} {path} answered an undeclared {status}"
    if "content" in response:
        schema = response["content"][content_type]["schema"]
        if "json" in content_type:
            assert list(findings(schema, body, "")) == []


def check_shape(schema: str, body: Any) -> None:
    assert list(findings(CONTRACT["components"]["schemas"][schema], body, schema)) == []


def resolve(node: Any) -> Any:
    while "$ref" in node:
        target: Any = CONTRACT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def findings(schema: Any, value: Any, where: str, *, part: bool = False) -> Iterator[str]:
    """`part` of an allOf, whose other parts tell of further members."""
    schema = resolve(schema)
    if "anyOf" in schema and all(list(findings(option, value, where)) for option in schema["anyOf"]):
        yield f"{where}: {value!r} fits none of anyOf"
    for each in schema.get("allOf", ()):
        yield from findings(each, value, where, part=True)
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and value is not None and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} doesn't match"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, _TYPES[kind]) for kind in kinds):
        yield f"{where}: {value!r} is no {kinds}"
    if isinstance(value, dict) and "object" in kinds:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        yield from (f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            if name in properties:
                yield from findings(properties[name], inner, f"{where}.{name}")
            elif others is not None:
                yield from findings(others, inner, f"{where}.{name}")
            elif not part:
                yield f"{where}: {name} is not in the contract"
    if isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(value):
            yield from findings(schema["items"], inner, f"{where}[{index}]")
