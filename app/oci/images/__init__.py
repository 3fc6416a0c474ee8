"""What an image is: its reference, digests and manifests, and which artifact counts."""
