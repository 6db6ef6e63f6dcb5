"""What the doctor finds out by asking."""

import pytest

from storage.errors import UnavailableError
from storage.operations.doctor import check_traces
from storage.settings import Settings
from tests.simulators.otlp_collector import collecting

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


async def test_the_doctor_says_where_traces_go_and_whether_somebody_listens(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert "off; set OTEL_EXPORTER_OTLP_ENDPOINT" in await check_traces(settings)
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINT, collector.grpc_url)
        assert await check_traces(settings) == f"spans go to {collector.grpc_url} by OTLP (grpc)"
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await check_traces(settings)
