"""Prints addresses with their reachability, as a table or one JSON document."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from odin_ws.cli.printing import Cell, Styled, print_json, print_table

if TYPE_CHECKING:
    from odin_ws.stack.deploy import Reach


def print_addresses(addresses: Sequence["Reach"], output: str) -> None:
    """Print addresses as asked for."""
    if output == "json":
        print_json({"urls": as_documents(addresses)})
        return
    rows: list[list[Cell]] = [
        [
            reach.url.title,
            reach.url.url,
            Styled("yes", "green") if reach.reachable else Styled("no", "red"),
            reach.answer,
        ]
        for reach in addresses
    ]
    print_table(["what", "URL", "reachable", "answer"], rows)


def as_documents(addresses: Sequence["Reach"]) -> list[dict[str, Any]]:
    """Addresses for programs."""
    return [
        {
            "title": reach.url.title,
            "url": reach.url.url,
            "reachable": reach.reachable,
            "answer": reach.answer,
            "latency_ms": reach.latency_ms,
        }
        for reach in addresses
    ]
