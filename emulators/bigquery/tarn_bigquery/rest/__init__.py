"""The REST API v2: routes, requests and answers. No SQL is read or written here."""
