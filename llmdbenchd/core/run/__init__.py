"""The life of one run: what is known of it, what was seen of it, what to do next."""
