"""The Kubernetes API: nodes and their features, kept current by list and watch."""
