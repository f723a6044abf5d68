"""What a launcher must be, in words that every engine understands."""
