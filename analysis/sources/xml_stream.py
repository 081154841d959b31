"""XML read in blocks and forgotten as it goes, so that memory holds only what its reader keeps.

A document type, and with it every entity and reference to another file, is refused.
"""

from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from analysis.errors import SourceError
from analysis.sources.delimited import LONGEST_CELL

BLOCK = 1 << 16  # bytes
DEEPEST = 32  # elements in each other


class XmlReader:
    """What is told of an XML file as it is read: beginnings, texts and ends of its elements.

    `place` names the file and the line that is read; `path` are the names of the open elements without their
    namespaces. An element's own text is given at its end, where `keeps` says that it is wanted.
    """

    root = ""
    not_it = ""

    def __init__(self, file: str) -> None:
        self.file, self.line = file, lambda: 1
        self.path: list[str] = []
        self._text: list[str] = []
        self._size = 0

    @property
    def place(self) -> str:
        return f"{self.file}, row {self.line()}"

    def begins(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; it is the last of `path`."""

    def ends(self, name: str, text: str) -> None:
        """An element ends; it is still the last of `path`."""

    def keeps(self, name: str) -> bool:
        """Whether the text of such an element is wanted."""
        return True

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self.path.append(name)
        self._text, self._size = [], 0
        if self.path[0] != self.root:
            raise SourceError(f"{self.place}: {self.not_it}; its outermost element is not {self.root}.")
        if len(self.path) > DEEPEST:
            raise SourceError(f"{self.place}: {self.not_it}; its elements lie too deep in each other.")
        self.begins(name, attributes)

    def data(self, text: str) -> None:
        if self.path and self.keeps(self.path[-1]):
            self._size += len(text)
            if self._size > LONGEST_CELL:
                raise SourceError(f"{self.place}: an element too long for any export.")
            self._text.append(text)

    def end(self, tag: str) -> None:
        self.ends(self.path[-1], "".join(self._text))
        self.path.pop()
        self._text, self._size = [], 0

    def close(self) -> None:
        """Nothing is left to do."""


def read_xml(path: Path, reader: XmlReader) -> None:
    """Tell a reader everything that is in a file.

    Raises
    ------
    SourceError
        If it is not well-formed XML below the reader's root, or has a document type; the message names file
        and line.
    """
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    expat = parser.parser
    reader.line = lambda: expat.CurrentLineNumber
    # Straight to the reader: what stands between names namespaces in full, which no reader asks for.
    expat.ordered_attributes = False
    expat.StartElementHandler, expat.EndElementHandler = reader.start, reader.end
    try:
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                parser.feed(block)
        parser.close()
    except OSError as error:
        raise SourceError(f"{reader.file}: cannot be read ({error.strerror}).") from error
    except DefusedXmlException as error:
        raise SourceError(
            f"{reader.place}: has a document type or entities, which no export needs; refused."
        ) from error
    except (ParseError, LookupError, ValueError) as error:
        raise SourceError(f"{reader.place}: not well-formed XML, or damaged.") from error
