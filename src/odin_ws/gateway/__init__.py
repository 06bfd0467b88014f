"""The WebSocket gateway: event log in, events to thousands of clients out."""
