"""Script bundling: a page's scripts as one text for Gradio's `js_on_load`."""

from pathlib import Path

_HERE = Path(__file__).parents[1]


def bundle_scripts(*names: str) -> str:
    """These files of the workbench one after the other: the later ones use what the earlier ones define."""
    return "\n".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in names)
