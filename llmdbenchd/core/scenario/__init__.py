"""The room of scenario files: the assignments in them, read and never executed.

A `.sh` scenario is a shell script to the field, which sources it. Here it is data: `shell`
knows the few constructs that such files are made of, gives each the meaning that bash has
for it, and stops at every other one by name. A `.yaml` scenario (`mapping`) holds the same
values without a shell.
"""
