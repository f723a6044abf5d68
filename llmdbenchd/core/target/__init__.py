"""From what a namespace holds to one target: pure, and told by name when it is not one."""
