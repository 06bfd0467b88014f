"""Drivers: what actually runs the services."""
