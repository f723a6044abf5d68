"""`python -m llmdbenchd`."""

import sys

from llmdbenchd.cli import main

if __name__ == "__main__":
    sys.exit(main())
