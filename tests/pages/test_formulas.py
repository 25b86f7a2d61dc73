"""Names that a spreadsheet would run as formulas: no table of any page holds one that its CSV button would write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

NAMES = ("=cmd|' !A0", "+1", "-1+2", "@x")


@pytest.mark.parametrize("page", ["app.py", "pages/saliency.py", "pages/shared_interest.py"])
def test_no_table_holds_a_formula(app, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for turn in range(2):
            picture = Image.new("RGB", (32, 32), (60 * number, 100 * turn, 0))
            picture.save(tmp_path / "pictures" / name / f"{name}{turn}.png")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.toml").write_text(
        f'architecture = "net.py:build"\nweights = "random"\ninput_size = 8\nlabels = {json.dumps(NAMES)}\n'
    )
    (tmp_path / "models" / "net.py").write_text(
        "import torch\n\ndef build():\n    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1),"
        " torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 4))\n"
    )
    monkeypatch.setenv("LOUPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path))
    app.query_params.update({"model": "net", "images": "pictures"})
    app.switch_page(page).run()
    assert not app.exception and not app.error, [one.value for one in app.error]
    cells = [
        cell
        for table in app.dataframe
        for name in table.value.columns
        for cell in table.value[name].tolist()
        if isinstance(cell, str)
    ]
    assert any(cell.startswith("'") for cell in cells) or page != "app.py", cells
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]
