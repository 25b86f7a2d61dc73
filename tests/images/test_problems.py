from interp.images.problems import LISTED, Problem, Problems, printable, unique


def test_what_cannot_be_shown_is_replaced() -> None:
    assert printable("a\nb\udcffc\u202ed.png") == "a\ufffdb\ufffdc\ufffdd.png"
    assert printable("Käse ![](x).png") == "Käse ![](x).png"


def test_names_are_made_different() -> None:
    assert unique(["a", "b"]) == ("a", "b")
    assert unique(["a", "a", "a"]) == ("a", "a (2)", "a (3)")
    assert unique(["a", "a", "a (2)"]) == ("a", "a (3)", "a (2)")
    assert len(set(unique(["\n", "\r", "\0"] * 50))) == 150


def test_long_lists_are_cut_with_a_count_for_each_kind() -> None:
    problems = Problems()
    for i in range(LISTED + 1234):
        problems.add("lost pictures", f"{i}.png", "gone")
    problems.add("boxes", "one", "empty")
    listed = problems.listed()
    assert len(listed) == LISTED + 2
    assert listed[LISTED] == Problem("one", "empty")
    assert listed[-1].name == "1,234 more" and "1,254 lost pictures" in listed[-1].reason
