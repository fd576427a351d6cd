"""CoinGecko's API: the market's coins as they stand, and the course of each over time."""
