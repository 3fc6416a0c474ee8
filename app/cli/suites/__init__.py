"""Suites of `test-spec`: specs, nodes, and what is expected of the one on the other.

`reading` makes `suite`'s values of a file, `loading` gets the specs and nodes that
it names, `judging` finds out, `printing` tells.
"""
