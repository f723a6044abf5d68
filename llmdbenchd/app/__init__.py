"""Puts the parts together and runs them. The only room that knows all of them."""
