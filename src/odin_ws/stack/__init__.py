"""The stack: which services there are, and how they are started, probed, shown and removed."""
