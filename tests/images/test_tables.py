import random
import time
from pathlib import Path
from unicodedata import normalize

import pytest

from interp.images import tables
from interp.images.problems import Problems
from interp.images.table_names import Pictures
from interp.images.tables import Table

PRESENT = ("a.jpg", "b.jpg", "c.jpg")


def read(
    folder: Path,
    text: str | bytes,
    present: tuple[str, ...] | None = PRESENT,
    *,
    within: str = "",
    problems: Problems | None = None,
) -> Table:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return tables.read(path, problems or Problems(), present=present, within=within)


def said(table: Table, kind: str) -> str:
    return "\n".join(one.text for one in table.findings if one.kind == kind)


def labels(table: Table) -> dict[str, str | None]:
    return {row.picture or "": row.labels["label"] for row in table.rows}


TWO = {"a.jpg": "bee", "b.jpg": "wasp"}
LABELS = {
    "semicolons": "file;label\r\na.jpg;bee\r\nb.jpg;wasp\r\n",
    "tabs": "file\tlabel\na.jpg\tbee\nb.jpg\twasp\n",
    "bars": "file|label\na.jpg|bee\nb.jpg|wasp\n",
    "Excel's declaration": "sep=;\nfile;label\na.jpg;bee\nb.jpg;wasp\n",
    "old line ends": "file,label\ra.jpg,bee\rb.jpg,wasp\r",
    "empty lines": "\n\nfile,label\n\na.jpg,bee\n,\n\nb.jpg,wasp\n",
    "Roboflow, one class": "filename, class\na.jpg, bee\nb.jpg, wasp\n",
    "Kaggle": "id,breed\na,bee\nb,wasp\n",
    "other names": "Image Name,Diagnosis\na.jpg,bee\nb.jpg,wasp\n",
    "hyphens": "image-path,class-name\n./a.jpg,bee\n.\\b.jpg,wasp\n",
    "the row's number": ",image,label\n0,a.jpg,bee\n1,b.jpg,wasp\n",
    "index that counts": "index,image,target\n0,a.jpg,bee\n1,b.jpg,wasp\n",
    "unknown names": "foto,art,grösse\na.jpg,bee,3\nb.jpg,wasp,4\n",
    "no header": "a.jpg,bee\nb.jpg,wasp\n",
    "no header, ids": "bee,a\nwasp,b\n",
    "no header, spaces": "a.jpg bee\nb.jpg  wasp\n",
    "name and number": "image,label,class_name\na.jpg,3,bee\nb.jpg,4,wasp\n",
    "one column of 1": "filename, bee, wasp\na.jpg,1,0\nb.jpg,0,1\n",
    "one column that is true": "filename,bee,wasp\na.jpg,True,False\nb.jpg,False,True\n",
    "formula of text": 'file,label\na.jpg,="bee"\nb.jpg,wasp\n',
    "quotes within": "file,label\n'a.jpg',bee\n\"b.jpg\",wasp\n",
}


@pytest.mark.parametrize("case", LABELS)
def test_tables_of_one_label_a_picture(tmp_path: Path, case: str) -> None:
    table = read(tmp_path, LABELS[case])
    assert labels(table) == TWO and table.unused == 0 and table.unit is None
    assert "2 of 2 rows used, for 2 pictures." in said(table, "recognized")


@pytest.mark.parametrize(
    "content, expected",
    [
        ("file,label\na.jpg,Käfer\n".encode("cp1252"), "Windows-1252"),
        ("file;label\na.jpg;Größe\n".encode("cp1252"), "Windows-1252"),
        ("file;label\na.jpg;Brewer’s bière\n".encode("cp1252"), "Windows-1252"),
        ("file\tlabel\r\na.jpg\tKäfer\r\n".encode("utf-16"), "UTF-16"),
        ("file\tlabel\r\na.jpg\tKäfer\r\n".encode("utf-16-le"), "UTF-16"),
        ("file\tlabel\r\na.jpg\tKäfer\r\n".encode("utf-16-be"), "UTF-16"),
        ("file,label\na.jpg,Käfer\n".encode("utf-8-sig"), ""),
        ("file,label\na.jpg,Жук\n".encode(), ""),
    ],
)
def test_encodings_are_found_out_and_said(tmp_path: Path, content: bytes, expected: str) -> None:
    table = read(tmp_path, content)
    assert table.rows[0].labels["label"] in ("Käfer", "Größe", "Brewer’s bière", "Жук")
    assert (f"t.csv was read as {expected}" in said(table, "guessed")) == bool(expected)


ROBOFLOW = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


def test_boxes_of_one_picture_are_its_marks(tmp_path: Path) -> None:
    table = read(tmp_path, ROBOFLOW + "a.jpg,120,90,bee,10,20,50,60\na.jpg,120,90,wasp,0,0,90,80\nb.jpg,,,moth,,,,\n")
    assert table.unit == "pixels"
    assert [(row.picture, row.labels["label"], row.box, row.size) for row in table.rows] == [
        ("a.jpg", "bee", (10, 20, 50, 60), (120, 90)),
        ("a.jpg", "wasp", (0, 0, 90, 80), (120, 90)),
        ("b.jpg", "moth", None, None),
    ]
    assert "2 boxes in 'xmin', 'ymin', 'xmax', 'ymax'" in said(table, "recognized")
    assert "3 of 3 rows used, for 2 pictures" in said(table, "recognized")
    joined = tables.by_picture(table)
    assert [(row.picture, row.labels["label"], row.label_set) for row in joined] == [
        ("a.jpg", "wasp", {"bee", "wasp"}),
        ("b.jpg", "moth", {"moth"}),
    ]


BOXES = {
    "Open Images": (
        "ImageID,LabelName,XMin,XMax,YMin,YMax\na,bee,0.1,0.5,0.25,0.75\n",
        (0.1, 0.25, 0.5, 0.75),
        "shares",
    ),
    "corner and size": ("image,label,x,y,w,h\na.jpg,bee,10,20,5,6\n", (10, 20, 15, 26), "pixels"),
    "width and height": ("image,label,x,y,width,height\na.jpg,bee,10,20,5,6\n", (10, 20, 15, 26), "pixels"),
    "centre": (
        "image,class,x_center,y_center,width,height\na.jpg,bee,0.5,0.5,0.5,0.25\n",
        (0.25, 0.375, 0.75, 0.625),
        "shares",
    ),
    "one cell": ('image_id,bbox,label\na,"[834.0, 222.0, 56.0, 36.0]",bee\n', (834, 222, 890, 258), "pixels"),
    "no header": ("a.jpg,10,20,30,40,bee\nb.jpg,,,,,\n", (10, 20, 30, 40), "pixels"),
    "German": ("file;label;x_min;y_min;x_max;y_max\na.jpg;bee;0,5;1;2,5;3\n", (0.5, 1, 2.5, 3), "pixels"),
    "x1": ("path,class,x1,y1,x2,y2\na.jpg,bee,1,2,3,4\n", (1, 2, 3, 4), "pixels"),
}


@pytest.mark.parametrize("case", BOXES)
def test_forms_of_boxes(tmp_path: Path, case: str) -> None:
    text, box, unit = BOXES[case]
    table = read(tmp_path, text)
    assert (table.rows[0].box, table.unit, table.rows[0].labels["label"]) == (box, unit, "bee")
    assert table.rows[0].numbers == {}


def test_an_impossible_box_costs_the_box_alone(tmp_path: Path) -> None:
    problems = Problems()
    table = read(
        tmp_path,
        ROBOFLOW + "a.jpg,9,9,bee,50,1,10,5\nb.jpg,9,9,bee,1,1,x,5\nc.jpg,9,9,bee,1,1,5,5\n",
        problems=problems,
    )
    assert [row.box for row in table.rows] == [None, None, (1, 1, 5, 5)] and table.unused == 0
    assert [one.name for one in problems.listed()] == ["t.csv, line 2", "t.csv, line 3"]
    assert "right and bottom must lie beyond left and top" in problems.listed()[0].reason


def test_columns_that_are_no_boxes_are_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, "file,label,width,height,x\na.jpg,bee,30,40,1\n")
    assert table.unit is None and table.rows[0].numbers == {"width": 30, "height": 40, "x": 1}


def test_class_indices_are_whole_numbers(tmp_path: Path) -> None:
    problems = Problems()
    present = tuple(f"{i}.jpg" for i in range(7))
    cells = ("0.0", "3.0", " 4 ", "2.5", "-1", "nan", "")
    table = read(
        tmp_path,
        "file,class id\n" + "".join(f"{i}.jpg,{cell}\n" for i, cell in enumerate(cells)),
        present,
        problems=problems,
    )
    assert [row.labels["class_index"] for row in table.rows] == ["0", "3", "4", None, None, None, None]
    assert [one.reason.split(";")[0] for one in problems.listed()] == [
        f"The class index is {cell!r}" for cell in ("2.5", "-1", "nan")
    ]


def test_labels_that_are_whole_numbers_lose_the_point(tmp_path: Path) -> None:
    table = read(tmp_path, "file,label\na.jpg,1.0\nb.jpg,nan\nc.jpg,12.0\n")
    assert labels(table) == {"a.jpg": "1", "b.jpg": None, "c.jpg": "12"}
    assert "read without the point" in said(table, "changed") and "1 cell of 'nan'" in said(table, "changed")
    assert labels(read(tmp_path, "file,label\na.jpg,v1.0\nb.jpg,nan\n")) == {"a.jpg": "v1.0", "b.jpg": "nan"}
    assert labels(read(tmp_path, "file,label\na.jpg,1.5\nb.jpg,2.0\n")) == {"a.jpg": "1.5", "b.jpg": "2.0"}
    assert labels(read(tmp_path, "file,label\na.jpg,007\nb.jpg,#N/A\n")) == {"a.jpg": "007", "b.jpg": None}


NESTED = ("train/bee/1.jpg", "train/wasp/2.jpg", "val/bee/1.jpg", "Käfer.png", "x/Ünit.tif", "ids/0007.jpg")


@pytest.mark.parametrize(
    "cell, picture, how",
    [
        ("train/bee/1.jpg", "train/bee/1.jpg", ""),
        ("./train/bee/1.jpg", "train/bee/1.jpg", ""),
        ("C:\\Users\\Ann\\set\\train\\bee\\1.jpg", "train/bee/1.jpg", "by the end of the path"),
        ("train\\wasp\\2.jpg", "train/wasp/2.jpg", ""),
        ("/home/ann/wasp/2.jpg", "train/wasp/2.jpg", "in a folder of another name"),
        ("file:///home/ann/wasp/2.jpg", "train/wasp/2.jpg", "in a folder of another name"),
        ("https://a.org/x/wasp/2.jpg?size=9#top", "train/wasp/2.jpg", "in a folder of another name"),
        ("s3://bucket/K%C3%A4fer.png", "Käfer.png", "by the end of the path"),
        ("../../Käfer.png", "Käfer.png", "by the end of the path"),
        (normalize("NFD", "Käfer.png"), "Käfer.png", ""),
        ("KÄFER.PNG", "Käfer.png", "in another case"),
        ("0007", "ids/0007.jpg", "without one"),
        ("2.JPEG", "train/wasp/2.jpg", "with another suffix"),
        ('"2.jpg"', "train/wasp/2.jpg", "by the end of the path"),
    ],
)
def test_pictures_are_found_by_what_people_write(tmp_path: Path, cell: str, picture: str, how: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    table = read(tmp_path, f"file,label\n{quoted},bee\n", NESTED)
    assert [row.picture for row in table.rows] == [picture]
    assert how in said(table, "guessed") and (how or "found the picture" not in said(table, "guessed"))
    # A set whose own names have parted accents is the same.
    parted = tuple(normalize("NFD", name) for name in NESTED)
    assert [row.picture for row in read(tmp_path, f"file,label\n{quoted},bee\n", parted).rows] == [
        normalize("NFD", picture)
    ]


def test_many_pictures_of_one_name_are_found_at_once(tmp_path: Path, unchecked: None) -> None:
    present = tuple(f"{i}/x/1.jpg" for i in range(20_000))
    text = "file,label\n" + "".join(f"C:\\{i}\\x\\1.png,bee\n" for i in range(20_000))
    began = time.process_time()
    assert tuple(row.picture for row in read(tmp_path, text, present).rows) == present
    # Comparing each with each would take minutes.
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    "cell, reason",
    [
        ("1.jpg", "is the name of 2 pictures ('train/bee/1.jpg', 'val/bee/1.jpg'): give the folder along with it"),
        ("train/wasp/1.jpg", "was not found in that folder (in another lies 'train/bee/1.jpg'"),
        ("9.jpg", "The picture '9.jpg' was not found."),
        ("../../etc/passwd", "'../../etc/passwd' leads out of the folder, and no picture in it is called so."),
        ("/etc/passwd", "'/etc/passwd' leads out of the folder"),
        ("", "The column 'file' is empty."),
    ],
)
def test_what_is_not_found_is_named_and_counted(tmp_path: Path, cell: str, reason: str) -> None:
    problems = Problems()
    table = read(tmp_path, f"file,label\n2.jpg,wasp\n{cell},bee\n", NESTED, problems=problems)
    assert [row.picture for row in table.rows] == ["train/wasp/2.jpg"] and table.unused == 1
    assert [one.name for one in problems.listed()] == ["t.csv, line 3"] and reason in problems.listed()[0].reason
    assert "1 of 2 rows used, for 1 picture." in said(table, "recognized")


def test_the_tables_own_folder_and_the_split_tell_two_pictures_apart(tmp_path: Path) -> None:
    assert read(tmp_path, "file\n1.jpg\n", NESTED, within="val/bee").rows[0].picture == "val/bee/1.jpg"
    table = read(tmp_path, "file,label,split\n1.jpg,bee,val\n1.jpg,bee,train\n", NESTED)
    assert [(row.picture, row.group) for row in table.rows] == [("val/bee/1.jpg", "val"), ("train/bee/1.jpg", "train")]


def test_a_folder_of_another_name_is_passed_over_where_all_rows_name_it(tmp_path: Path) -> None:
    present = ("pictures/a.jpg", "pictures/b.jpg")
    table = read(tmp_path, "file,label\n/data/old/a.jpg,bee\n/data/old/b.jpg,wasp\n", present)
    assert [row.picture for row in table.rows] == list(present)
    assert "by its name alone, in a folder of another name" in said(table, "guessed")
    nested = ("val/bee/a.jpg", "val/wasp/a.jpg")
    text = "file,label\n/home/ann/set/bee/a.jpg,bee\n/home/ann/set/wasp/a.jpg,wasp\n"
    assert [row.picture for row in read(tmp_path, text, nested).rows] == list(nested)
    # Here the folder may be what tells them apart.
    assert not read(tmp_path, "file,label\ndog/a.jpg,bee\ncat/b.jpg,wasp\n", present).rows


def test_several_rows_of_a_picture_stay_several_where_there_are_no_boxes(tmp_path: Path) -> None:
    table = read(tmp_path, "file,label\na.jpg,bee\na.jpg,wasp\nb.jpg,moth\n")
    assert [(row.picture, row.labels["label"]) for row in tables.by_picture(table)] == [
        ("a.jpg", "bee"),
        ("a.jpg", "wasp"),
        ("b.jpg", "moth"),
    ]
    assert "1 picture in several rows; each row is an entry of its own" in said(table, "recognized")


SEVERAL = {
    "semicolons in a table of commas": ("file,label\na.jpg,bee;wasp\nb.jpg,bee\n", {"bee", "wasp"}),
    "bars in a table of semicolons": ("file;label\na.jpg;bee|wasp\nb.jpg;bee\n", {"bee", "wasp"}),
    "Python's notation": ("file,labels\na.jpg,\"['bee', 'wasp']\"\nb.jpg,['bee']\n", {"bee", "wasp"}),
    "tags with commas": ('file,tags\na.jpg,"bee, wasp"\nb.jpg,bee\n', {"bee", "wasp"}),
    "tags with spaces": ("image_name,tags\na,bee wasp\nb,bee\n", {"bee", "wasp"}),
    "labels with commas that come again": (
        'file,labels\na.jpg,"bee, wasp"\nb.jpg,"wasp, moth, bee"\n',
        {"bee", "wasp"},
    ),
    "synonyms with commas": ('file,labels\na.jpg,"tench, Tinca tinca"\nb.jpg,goldfish\n', {"tench, Tinca tinca"}),
    "findings": ("Image Index,Finding Labels\na.jpg,bee|wasp\nb.jpg,bee\n", {"bee", "wasp"}),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_labels_in_a_cell(tmp_path: Path, case: str) -> None:
    text, expected = SEVERAL[case]
    assert read(tmp_path, text).rows[0].label_set == expected


def test_a_semicolon_is_no_label_of_its_own_where_it_parts_the_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "file;label\na.jpg;bee\nb.jpg;wasp\n")
    assert [row.label_set for row in table.rows] == [None, None]


def test_columns_of_0_and_1_are_numbers_and_a_label_where_one_of_them_is_1(tmp_path: Path) -> None:
    one = read(tmp_path, "filename, bee, wasp\na.jpg,1,0\nb.jpg,0,1\n")
    assert one.rows[0].numbers == {"bee": 1, "wasp": 0} and labels(one) == TWO
    assert "its name is the label" in said(one, "guessed")
    both = read(tmp_path, "filename, bee, wasp\na.jpg,1,1\nb.jpg,0,1\n")
    assert both.rows[0].numbers == {"bee": 1, "wasp": 1} and labels(both) == {"a.jpg": None, "b.jpg": None}


@pytest.mark.parametrize(
    "header, kind, text",
    [
        ("filename,image,label", "guessed", "'filename' holds the files, not 'image'"),
        ("file,class,species", "guessed", "'class' is the label, not 'species', which could be it too (comes after it"),
        ("file,label,species", "guessed", "'species' is the label, and 'label' its number"),
        ("file,label,label", "left out", "two columns are called 'label'; the first of them counts"),
        ("file,group,split", "guessed", "'group' is the group; 'split' could be it too, and comes after it in order"),
        ("photo,class_id,note", "left out", "1 column of neither labels nor numbers: 'note'"),
    ],
)
def test_what_could_be_meant_otherwise_is_said(tmp_path: Path, header: str, kind: str, text: str) -> None:
    numeric = header == "file,label,species" or "class_id" in header
    row = "a.jpg,1,x" if numeric else "a.jpg,a.jpg,x" if header.startswith("filename") else "a.jpg,x,y"
    assert text in said(read(tmp_path, f"{header}\n{row}\n"), kind)


@pytest.mark.parametrize("header", ["", "foto,maske\n"])
def test_a_second_column_of_pictures_is_no_label(tmp_path: Path, header: str) -> None:
    table = read(tmp_path, header + "i/a.jpg,m/a.png\n", ("i/a.jpg", "m/a.png"))
    assert labels(table) == {"i/a.jpg": None} and "1 column of neither labels nor numbers" in said(table, "left out")


def test_ragged_rows_are_taken_and_what_is_beyond_is_said(tmp_path: Path) -> None:
    table = read(tmp_path, "file,label\na.jpg\nb.jpg,goldfish, Carassius auratus\n")
    assert labels(table) == {"a.jpg": None, "b.jpg": "goldfish"}
    assert "1 row with more cells than there are columns (line 3)" in said(table, "left out")


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "t.csv: the file is empty"),
        (b",,\n,\n", "t.csv: the file is empty"),
        (b"a.jpg," * 20_001, "t.csv, line 1: it has 20,002 columns, and 20,000 are the most. Give one line for each"),
        (b"file,label\n", "below the line of its columns are no rows; give one for each picture"),
        (b"size,label\n3,cat\n", "t.csv, line 1: its columns are 'size, label'; a table is expected with a column"),
        (b'file,label\na.jpg,"bee\nb.jpg,wasp"\n', "t.csv, line 2: a quote is opened there and not closed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "this is no text|its encoding|nor surely"),
        (b"PK\x03\x04", "this is an Excel workbook or an archive"),
        ("file,label\na.jpg,жук\n".encode("cp1251"), "the text is not UTF-8, nor surely of any other code; save it so"),
    ],
)
def test_what_is_no_table_is_refused_with_what_would_be_right(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, content)


def test_quotes_and_line_breaks_within_a_text_stay(tmp_path: Path) -> None:
    table = read(tmp_path, 'file,label,note\na.jpg,6" nail,"two\nlines, really"\nb.jpg,wasp,"he said ""x"""\n')
    assert labels(table) == {"a.jpg": '6" nail', "b.jpg": "wasp"} and [row.line for row in table.rows] == [3, 4]


def test_a_table_too_large_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("wb") as stream:
        stream.truncate(tables.LARGEST_CSV + 1)
    with pytest.raises(ValueError, match="the limit is 100 MB"):
        tables.read(tmp_path / "t.csv", Problems(), present=PRESENT)


def test_whatever_is_in_a_table_nothing_outside_is_named_and_the_sums_hold(tmp_path: Path) -> None:
    rng = random.Random(0)
    cells = [
        *NESTED,
        *PRESENT,
        "",
        "../a.jpg",
        "C:\\x\\a.jpg",
        "file",
        "label",
        "1",
        "2.0",
        "bee|wasp",
        '"',
        "a",
        "nan",
    ]
    cells += ["/", "\\", ".", "..", "file://", "http://", "%", "\0", "n01440764", "=1", "#N/A", "x;y", "\t", "0.5", "é"]
    read_ones = 0
    for _ in range(600):
        delimiter = rng.choice(",;\t|")
        width = rng.randint(1, 7)
        rows = [[rng.choice(cells) for _ in range(max(1, width + rng.choice((0, 0, 0, -1, 1))))] for _ in range(5)]
        header = ["file", "label", *rng.choices(["class_id", "xmin", "ymin", "xmax", "ymax", "w", ""], k=5)][:width]
        text = "\n".join(delimiter.join(row) for row in ([header, *rows] if rng.random() < 0.8 else rows))
        try:
            table = read(tmp_path, text, (*NESTED, *PRESENT))
        except ValueError as error:
            assert "t.csv" in str(error)
            continue
        read_ones += 1
        total = next(one.text for one in reversed(table.findings) if "used, for" in one.text)
        assert f"{len(table.rows)} of {len(table.rows) + table.unused} row" in total
        assert all(row.picture in (*NESTED, *PRESENT) for row in table.rows)
    assert read_ones > 200


def by_the_definition(written: str, present: list[str]) -> str | None:
    """The path of which the written one is the end, or which is its end; the longest agreement, then the suffix."""

    def parts(path: str) -> list[str]:
        return path.rsplit(".", 1)[0].lower().split("/")

    if written in present:
        return written
    mine = parts(written)
    agreeing = {}
    for path in present:
        shared = min(len(mine), len(parts(path)))
        if mine[-shared:] == parts(path)[-shared:]:
            agreeing[path] = shared
    longest = [path for path, shared in agreeing.items() if shared == max(agreeing.values())]
    same = [path for path in longest if path.lower()[-4:] == written.lower()[-4:]] or longest
    return same[0] if len(same) == 1 else None


def test_pictures_are_found_as_the_definition_says() -> None:
    rng = random.Random(0)

    def path() -> str:
        folders = [rng.choice(("u", "v", "W")) for _ in range(rng.randint(0, 3))]
        return "/".join([*folders, rng.choice("abAB") + rng.choice((".jpg", ".png", ".JPG"))])

    found = 0
    for _ in range(400):
        present = sorted({path() for _ in range(rng.randint(1, 12))})
        pictures = Pictures(present)
        for _ in range(10):
            written = path()
            expected = by_the_definition(written, present)
            assert pictures.find(written).picture == expected, (written, present)
            found += expected not in (None, written)
    assert found > 300


def test_without_the_sets_pictures_every_row_is_taken(tmp_path: Path) -> None:
    table = read(tmp_path, "foto;art\nC:\\x\\a.jpg;bee\n../b.jpg;wasp\n", None)
    assert [(row.file, row.picture, row.labels["label"]) for row in table.rows] == [
        ("x/a.jpg", None, "bee"),
        ("b.jpg", None, "wasp"),
    ]
