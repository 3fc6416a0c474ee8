"""Settings in, wired objects out: the only package that knows every concrete class."""

from app.bootstrap.files import load
from app.bootstrap.health import Health
from app.bootstrap.options import options
from app.bootstrap.wiring import Wired, wire, wire_on

__all__ = ["Health", "Wired", "load", "options", "wire", "wire_on"]
