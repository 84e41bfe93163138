"""Colours by their English names."""

COLOURS = {"red": (220, 40, 40), "green": (40, 160, 60), "blue": (50, 80, 210), "yellow": (235, 215, 60)}


def colour_in(text: str) -> tuple[int, int, int] | None:
    """The first colour that a text names, as RGB from 0 to 255; None where it names none."""
    return next((COLOURS[word] for word in text.lower().split() if word in COLOURS), None)
