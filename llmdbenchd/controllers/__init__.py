"""The loops. They look, ask the core what to do, and do it through the ports."""
