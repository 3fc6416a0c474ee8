"""Core: which nodes kube-scheduler's filters leave to a Pod. No I/O."""
