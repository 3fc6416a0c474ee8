"""Features of the machine that we run on, as nfd-worker publishes them."""
