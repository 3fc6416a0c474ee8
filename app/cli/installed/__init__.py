"""An installed webhook, seen from outside: what `selftest` and `status` look at.

All of it is read with the rights of whoever asks; what they may not read is an
`Unread` value and is told as such, never taken for "not there".
"""
