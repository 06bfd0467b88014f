"""The page of /docs: complete, self-contained, escaped."""

from html.parser import HTMLParser
from typing import Any

from odin_ws.publisher.docs_page import docs_page

BODY = {"properties": {"rate": {"description": "Per second"}}, "examples": [{"rate": 1}]}
PARTS = ("POST /start", "Start <it>", "Per second", '{"rate": 1}', "Bad body", "GET /health", "Health")


def document(**more: Any) -> dict[str, Any]:
    return {
        "info": {"title": "A <title>", "version": "1", "description": "About & more"},
        "paths": {
            "/start": {
                "post": {
                    "summary": "Start",
                    "description": "Start <it>",
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "schema": {"anyOf": [{"$ref": "#/components/schemas/Body"}, {"type": "null"}]}
                            }
                        }
                    },
                    "responses": {"400": {"description": "Bad body"}},
                }
            },
            "/health": {"get": {"summary": "Health", "responses": {}}},
        },
        "components": {"schemas": {"Body": BODY}},
        **more,
    }


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_each_operation_is_there_with_body_example_and_answers() -> None:
    text = Tags(docs_page(document())).text
    assert [part for part in PARTS if part not in text] == []


def test_it_loads_nothing() -> None:
    tags = Tags(docs_page(document())).found
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe"}
    assert {attrs["href"] for tag, attrs in tags if "href" in attrs} == {"openapi.json"}


def test_what_comes_from_the_document_is_escaped() -> None:
    assert "it" not in {tag for tag, _ in Tags(docs_page(document())).found}
