"""Gradio's theme: every variable points to the custom properties of theme.css, where the colours are."""

from typing import Any

import gradio as gr

FONTS = ("Inter", "ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONOSPACE_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
TOKENS = {
    "surface": (
        "background_fill_primary block_background_fill panel_background_fill input_background_fill "
        "input_background_fill_focus checkbox_background_color checkbox_label_background_fill "
        "button_secondary_background_fill table_even_background_fill block_label_background_fill code_background_fill"
    ),
    "canvas": (
        "body_background_fill background_fill_secondary table_odd_background_fill "
        "button_secondary_background_fill_hover checkbox_label_background_fill_hover"
    ),
    "text": (
        "body_text_color block_title_text_color button_secondary_text_color table_text_color "
        "checkbox_label_text_color accordion_text_color"
    ),
    "muted": "body_text_color_subdued block_label_text_color block_info_text_color input_placeholder_color",
    "border": (
        "border_color_primary block_border_color input_border_color panel_border_color table_border_color "
        "checkbox_border_color button_secondary_border_color checkbox_label_border_color block_label_border_color"
    ),
    "accent": (
        "color_accent border_color_accent input_border_color_focus button_primary_background_fill "
        "button_primary_border_color link_text_color slider_color loader_color checkbox_background_color_selected "
        "checkbox_border_color_selected checkbox_border_color_focus"
    ),
    "accent-strong": (
        "button_primary_background_fill_hover button_primary_border_color_hover link_text_color_hover "
        "link_text_color_active link_text_color_visited"
    ),
    "accent-soft": "color_accent_soft checkbox_label_background_fill_selected border_color_accent_subdued",
    "on-accent": "button_primary_text_color button_primary_text_color_hover button_cancel_text_color",
    "danger": "button_cancel_background_fill button_cancel_border_color error_border_color error_text_color",
}
CONSTANTS = {
    "body_text_size": "14px",
    "block_border_width": "1px",
    "block_radius": "var(--dh-radius)",
    "block_shadow": "none",
    "block_label_shadow": "none",
    "block_padding": "12px",
    "button_large_radius": "var(--dh-radius-small)",
    "button_medium_radius": "var(--dh-radius-small)",
    "button_small_radius": "var(--dh-radius-small)",
    "button_large_text_size": "14px",
    "button_large_text_weight": "600",
    "button_large_padding": "8px 14px",
    "button_primary_shadow": "none",
    "button_secondary_shadow": "none",
    "button_border_width": "1px",
    "input_border_width": "1px",
    "input_radius": "var(--dh-radius-small)",
    "input_shadow": "none",
    "input_shadow_focus": "var(--dh-focus)",
    "input_text_size": "14px",
    "layout_gap": "12px",
}


def gradio_theme() -> gr.themes.Base:
    """The theme; system fonts only, so that no page asks another host for anything."""
    theme = gr.themes.Base(font=list(FONTS), font_mono=list(MONOSPACE_FONTS))
    variables: dict[str, Any] = dict(CONSTANTS)
    for token, names in TOKENS.items():
        for name in names.split():
            variables[name] = f"var(--dh-{token})"
            variables[f"{name}_dark"] = f"var(--dh-{token})"
    known = {name: value for name, value in variables.items() if hasattr(theme, name)}
    return theme.set(**known)
