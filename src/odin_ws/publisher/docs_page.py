"""The page of `/docs`: the operations of an OpenAPI document as plain HTML, complete in itself.

In: the document. Out: HTML without scripts, styles inline; it works with no network beyond the server.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font: 600 1.1rem ui-monospace, monospace; border-top: 1px solid #8886; padding-top: 1rem; }
code, pre { font: 0.9rem ui-monospace, monospace; }
pre { background: #8882; padding: 0.75rem; border-radius: 6px; overflow-x: auto; }
td, th { text-align: left; vertical-align: top; padding: 0.15rem 1.25rem 0.15rem 0; }
"""


def docs_page(document: Mapping[str, Any]) -> str:
    """HTML for an OpenAPI 3 document whose bodies are objects in `components.schemas`."""
    info = document["info"]
    title = escape(str(info["title"]))
    operations = "".join(_operations(document))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1><p>{escape(str(info.get('description', '')))}</p>"
        f'<p>Version {escape(str(info["version"]))} · <a href="openapi.json">openapi.json</a></p>'
        f"{operations}</body></html>"
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<h2>{escape(method.upper())} {escape(path)}</h2>"
            yield f"<p>{escape(str(operation.get('description') or operation.get('summary', '')))}</p>"
            yield _body(document, operation)
            yield _responses(operation)


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return ""
    schema = _resolved(document, content["schema"])
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(str(field.get('description', '')))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    )
    examples = "".join(
        f"<pre>{escape(json.dumps(example, ensure_ascii=False))}</pre>"
        for example in schema.get("examples", [])
    )
    return f"<table>{rows}</table>{examples}"


def _responses(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(status)}</th><td>{escape(str(response.get('description', '')))}</td></tr>"
        for status, response in operation.get("responses", {}).items()
    )
    return f"<table>{rows}</table>"


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, through the `anyOf` of an optional body."""
    for choice in schema.get("anyOf", [schema]):
        if reference := choice.get("$ref"):
            found: Mapping[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
            return found
    return schema
