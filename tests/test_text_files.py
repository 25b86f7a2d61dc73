import pytest

from interp.text_files import composed, decoded


@pytest.mark.parametrize(
    "content, likely, expected",
    [
        (b"caf", False, ("caf", None)),
        ("é".encode("utf-8-sig"), False, ("é", None)),
        ("a,é\n".encode("utf-16"), False, ("a,é\n", "UTF-16")),
        ("a,é\n".encode("utf-16-le"), False, ("a,é\n", "UTF-16")),
        ("a,é\n".encode("utf-16-be"), False, ("a,é\n", "UTF-16")),
        ("Größe".encode("cp1252"), False, ("Größe", "Windows-1252")),
        # Czech or French: as likely the one as the other.
        ("bière".encode("cp1252"), False, (None, None)),
        ("bière".encode("cp1252"), True, ("bière", "Windows-1252")),
        ("кошка".encode("cp1251"), True, (None, None)),
        ("γάτα".encode("cp1253"), True, (None, None)),
        ("Käfer".encode("mac-roman"), True, (None, None)),
        (b"cat\0dogs", False, ("cat\0dogs", None)),
        (b"\xff\xfe\x00cat", False, (None, None)),
    ],
)
def test_encodings_that_are_sure_are_read(
    content: bytes, likely: bool, expected: tuple[str | None, str | None]
) -> None:
    assert decoded(content, likely=likely) == expected


def test_accents_are_composed() -> None:
    assert composed("Ka\u0308fer") == "K\u00e4fer" and composed("cat") == "cat"
