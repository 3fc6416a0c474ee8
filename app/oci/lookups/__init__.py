"""The port for registries: what is asked once, by whom, and how long it holds."""
