"""Ways to a registry: mirrors, authorities, client certificates and proxies."""
