"""Features of the machine that we run on, as nfd-worker publishes them.

One module for each source of NFD v0.19.0, each with a function `discover` that reads
a `Tree` and gives `Published`. The names of features stand there without the source
(`cpuid`, not `cpu.cpuid`). What is not there is left out, as by NFD; what is there
but cannot be read is listed by the tree, and so is a folder that every host has where
NFD concludes from its absence (`discovery.TOLD_BY`).
"""
