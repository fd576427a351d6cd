"""Customer transactions, as a shop's till sends them: one file a day, typed in by people."""
