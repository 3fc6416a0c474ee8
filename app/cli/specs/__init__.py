"""The commands on the specs of images: attach, list, show, remove and copy.

`opening` turns what a person types into stores, `running` runs a command on them
within its exit codes, `printing` has the tables and the JSON.
"""
