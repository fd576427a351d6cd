"""Blockchair's blocks and transactions of Bitcoin: daily dumps, and the API that has what no dump has yet."""
