"""How a partition comes from a publisher, by the kind of its source."""
