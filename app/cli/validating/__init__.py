"""What `validate-node` does: one spec on one node, or on many.

`judging` finds the answers, `printing` shows one node expression by expression,
`report` makes the forms of many, `command` puts them together.
"""
