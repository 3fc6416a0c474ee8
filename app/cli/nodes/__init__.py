"""The nodes that commands judge: of a cluster, of files, or this host."""
