"""What the gate finds: a file and a kind of leak, never the value that leaks."""

from dataclasses import dataclass

# Kind of leak -> what is said of the file.
KINDS = {
    "name": "names an arm or a service in its text",
    "file name": "its name tells an arm or a service",
    "link": "is a link to a folder, which nobody looks into",
    "metadata": "its metadata name an arm or a service",
    "origin": "was made from a file of the closed side",
    "colour": "is drawn in a colour that belongs to an arm",
    "closed column": "has a column that tells the arm by its name, or that only a closed table has",
    "label": "holds a number of one arm",
    "sizes": "gives the sizes of the arms on one line",
    "parts": "splits its numbers as the arms do",
    "one arm": "counts what only one arm has",
    "order": "its rows stand in the order of the arms",
    "rows": "which families have a row, or how many, foretells their arm",
    "column": "a column foretells the arm of those who have its value, or of those who have none",
    "unreadable": "cannot be read as the format its name says, so nobody can tell what it holds",
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A leak: the file below the output folder, the kind, and where in the file."""

    file: str
    kind: str
    place: str = ""

    def __str__(self) -> str:
        where = f", {self.place}" if self.place else ""
        return f"{self.file}{where}: {KINDS[self.kind]}."
