"""XML from strangers: no document type, so that no entity can be declared and expanded."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.parsers import expat


def parsed(content: bytes, name: str) -> ElementTree.Element:
    """The root of an XML document. Raises `ValueError` that names the file, and the line where it is known."""

    def refuse(*_: object) -> None:
        raise ValueError(
            f"{name}: it declares a document type, which is refused since it can hide more. Remove the line <!DOCTYPE>."
        )

    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise ValueError(f"{name}, line {error.lineno}: this is not valid XML ({reason}).") from None
    except LookupError:
        raise ValueError(f"{name}: its encoding is not known; save it as UTF-8.") from None
    return builder.close()
