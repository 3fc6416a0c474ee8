"""Registries and OCI image layouts: which compatibility spec an image carries.

`images` knows what manifests mean, `registry` and `layout` read them, `lookups` is
the port that reviews ask, `writing` is for authors.
"""
