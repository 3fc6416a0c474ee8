"""Registries and OCI image layouts: which compatibility spec an image carries."""
