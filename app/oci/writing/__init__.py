"""What authors do with artifacts: attach, list, show, remove and copy them.

`store` has where they are kept (registries and layouts), `opening` opens one by its
name; `attaching`, `listing`, `showing`, `removing` and `copying` are the commands
without their words.
"""
