"""The name that was meant, where one that is not known is nearly another."""

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; Did you mean x?` behind a message, or nothing: as far off as GoogleSQL's analyzer lets a name be."""
    most = min(len(name) - 2, len(name) // 5 + 2)
    near = sorted((distance, other) for other in known if (distance := _distance(name, other, most)) <= most)
    return f"; Did you mean {near[0][1]}?" if near else ""


def _distance(one: str, other: str, most: int) -> int:
    """Characters to change, to add and to take away that make one of the other; more than `most` where it is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    above = list(range(len(other) + 1))
    for row, character in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            changed = above[column - 1] + (character != wanted)
            current.append(min(changed, above[column] + 1, current[-1] + 1))
        above = current
    return above[-1]
