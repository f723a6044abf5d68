"""The audit: what records, launchers and archives say of each other."""
