"""Gathers what the core needs to decide a review, and owns the deadline.

`Checker` answers reviews: it asks its two ports, hands the core what they said,
and turns the decision into a response. It never raises: what fails is answered by
the policy for it, within the time that was granted.
"""

from app.checker.options import Options
from app.checker.review import Checker

__all__ = ["Checker", "Options"]
