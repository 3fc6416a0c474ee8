"""Settings in, wired objects out: the only package that knows every concrete class.

`wiring` joins all of it; who needs the way to registries alone takes `registries`.
"""
