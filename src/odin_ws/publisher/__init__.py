"""The publisher: simulator, pacer and control API; also what sends a user's own records."""
