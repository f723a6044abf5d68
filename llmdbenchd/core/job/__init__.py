"""From the text that somebody dropped to runs with every value known."""
