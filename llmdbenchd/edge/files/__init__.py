"""The queue, the records and the archive on a local disk."""
