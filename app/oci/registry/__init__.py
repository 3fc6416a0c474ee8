"""Talking to registries: the distribution API, bounded, to checked addresses."""
