"""llmdbenchd: drop a job file, get a verified, archived benchmark result."""
