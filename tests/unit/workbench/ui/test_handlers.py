"""What goes wrong behind the workbench's buttons is told in the desk's words, and logged without anybody else's."""

import gradio as gr
import pytest
from structlog.testing import capture_logs

from storage.errors import NotFoundError
from workbench.ui.handlers import UNEXPECTED_ERROR, error_boundary


async def test_an_unforeseen_error_is_logged_once_and_told_without_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @error_boundary
    async def press() -> None:
        raise ValueError("the words of a customer")

    with capture_logs() as lines, pytest.raises(gr.Error) as caught:
        await press()
    assert caught.value.message == UNEXPECTED_ERROR
    # Else Gradio prints the exception that it came from.
    assert caught.value.print_exception is False
    assert [line["event"] for line in lines] == ["workbench event failed"]
    assert "customer" not in "".join(capsys.readouterr())


async def test_a_known_error_is_told_in_its_own_words() -> None:
    @error_boundary
    async def press() -> None:
        raise NotFoundError("There is no <such> review.")

    with pytest.raises(gr.Error) as caught:
        await press()
    assert caught.value.message == "There is no &lt;such&gt; review."
