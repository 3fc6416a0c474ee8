"""`check`: will these workloads run on those nodes, as the webhook sees it.

`files` and `live` bring objects, `manifests` picks the workloads out of them, `images`
asks what their images ask for, `judging` puts them before the webhook's own checker,
`what_if` and `changes` compare with other nodes, `explaining` walks one node.
"""
