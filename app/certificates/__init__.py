"""The serving certificate: made by us or read from files, new ones taken in live.

* `files`: two files that somebody else writes (cert-manager, a person).
* `own`: an authority and a leaf that the replicas make and share in a Secret;
  `rotation` decides what comes next, `authority` makes it.
* `serving`: what both hand the listener. A new certificate serves the next
  handshake; connections that are open go on.

Keys are in memory, in the Secret and in the files that were given, nowhere else.
"""
