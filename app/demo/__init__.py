"""A cluster and a registry in memory, on recorded hosts, for demo and tests."""
