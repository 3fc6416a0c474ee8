"""What commands found out about workloads and nodes, and the forms it is printed in.

`report` holds the values; every other module makes one form of them.
"""
