"""odin-ws: Kafka topics to WebSocket clients, in order, resumable and measured."""

__version__ = "0.1.0"
