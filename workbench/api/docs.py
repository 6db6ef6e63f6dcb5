"""API documentation (/docs): the OpenAPI document as one page that asks no other host for anything."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).parent / "docs.html"
DOCS_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""The page runs no script."""
MAX_EXAMPLE_DEPTH = 6
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    described: Schema
    """Its part of the OpenAPI document."""

    @property
    def anchor(self) -> str:
        """Its place in the page."""
        return f"{self.method}-{self.path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}"


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The page, made from the application's OpenAPI document."""
    api = request.app.openapi()
    groups = _by_tag(api)
    page = Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{api['info']['title']} {api['info']['version']}"),
        contents="".join(map(_contents, groups.items())),
        groups="".join(_group(api, *group) for group in groups.items()),
    )
    return HTMLResponse(page, headers=DOCS_PAGE_HEADERS)


def _by_tag(api: Schema) -> dict[str, list[Operation]]:
    groups: defaultdict[str, list[Operation]] = defaultdict(list)
    for path, methods in api["paths"].items():
        for method, described in methods.items():
            groups[(described.get("tags") or ["more"])[0]].append(Operation(method, path, described))
    return dict(groups)


def _contents(group: tuple[str, list[Operation]]) -> str:
    tag, operations = group
    links = "".join(
        f'<li><a href="#{item.anchor}"><b>{item.method.upper()}</b> {escape(item.path)}</a></li>' for item in operations
    )
    return f"<h2>{escape(tag)}</h2><ul>{links}</ul>"


def _group(api: Schema, tag: str, operations: list[Operation]) -> str:
    return f"<h2>{escape(tag)}</h2>" + "".join(_operation(api, operation) for operation in operations)


def _operation(api: Schema, operation: Operation) -> str:
    described = operation.described
    bearer = "<p>Needs a bearer.</p>" if described.get("security") else ""
    return (
        f'<article id="{operation.anchor}"><h3><b>{operation.method.upper()}</b> <code>{escape(operation.path)}</code>'
        f"</h3><p>{escape(described.get('description') or described.get('summary', ''))}</p>{bearer}"
        f"{_parameters(described)}{_body(api, described)}{''.join(_responses(api, described))}</article>"
    )


def _parameters(described: Schema) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(item['name'])}</code></td><td>{item['in']}{', required' if item['required'] else ''}"
        f"</td><td>{escape(item.get('description', ''))}</td></tr>"
        for item in described.get("parameters", ())
        if item["in"] != "cookie"
    )
    return f"<table><tr><th>Parameter</th><th>Where</th><th></th></tr>{rows}</table>" if rows else ""


def _body(api: Schema, described: Schema) -> str:
    contents: Schema = described.get("requestBody", {}).get("content", {})
    return "".join(_example("Send", media, content.get("schema", {}), api) for media, content in contents.items())


def _responses(api: Schema, described: Schema) -> Iterator[str]:
    for status, response in described["responses"].items():
        contents: Schema = response.get("content", {})
        name = f"{'Errors' if status == 'default' else status} · {response['description']}"
        if not contents:
            yield f"<p>{escape(name)}</p>"
        for media, content in contents.items():
            yield _example(name, media, content.get("schema", {}), api)


def _example(name: str, media: str, schema: Schema, api: Schema) -> str:
    text = json.dumps(example(schema, api), indent=2, ensure_ascii=False)
    return f"<details><summary>{escape(name)} <code>{escape(media)}</code></summary><pre>{escape(text)}</pre></details>"


def example(schema: Schema, api: Schema, depth: int = 0) -> Any:
    """A value of this JSON schema, as a reader would write it."""
    if "$ref" in schema:
        return example(api["components"]["schemas"][schema["$ref"].rpartition("/")[2]], api, depth)
    for given in ("default", "const"):
        if schema.get(given) is not None:
            return schema[given]
    if options := schema.get("anyOf") or schema.get("allOf"):
        return example(options[0], api, depth)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    return _of_type(schema, api, depth)


def _of_type(schema: Schema, api: Schema, depth: int) -> Any:
    match schema.get("type"):
        case "object" if depth < MAX_EXAMPLE_DEPTH:
            known = {name: example(inner, api, depth + 1) for name, inner in schema.get("properties", {}).items()}
            others = schema.get("additionalProperties")
            return known or ({"…": example(others, api, depth + 1)} if isinstance(others, dict) else {})
        case "array" if depth < MAX_EXAMPLE_DEPTH:
            return [example(schema.get("items", {}), api, depth + 1)]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "string":
            return schema.get("description") or schema.get("format") or "text"
        case _:
            return "…"
