"""The publishers' servers, offline: deterministic sample data over HTTP, in their real layouts.

File names are the publishers' own, so that a reader changes nothing but the base URL. Rooms: `http` is what all
publishers share (files in parts and on conditions, faults on demand), `store` makes files on first request, and
each publisher has a package of its own, joined to the rest in `server`.
"""
