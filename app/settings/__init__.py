"""Every setting, and how a process comes by its own.

A settings file is YAML with the camelCase names (`policy: {onUnavailable: allow}`);
an environment variable with the prefix `IMAGECOMPAT_` and `__` between levels
overrides it (`IMAGECOMPAT_SERVER__PORT=8443`). Unknown keys are errors, with their
place.

`sections` are all of them and `registry` is one of these, for whoever needs no other;
`loading` reads them.
"""
