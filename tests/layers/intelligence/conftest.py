import pytest
from django.db import connection

from intelligence import public
from tests.layers.intelligence.builders import AT, set_alias


@pytest.fixture
def altered_champion(entity):
    """Register a champion whose approved digest is not that of the file, as after tampering."""
    public.register_shipped_models(at=AT)
    connection.cursor().execute(
        """
        INSERT INTO intelligence_model_version (capability, version, provider, artefact, digest,
            format, data_classes, latency_p99_us, card, registered_at)
        SELECT capability, 'altered', provider, artefact, repeat('0', 64), format, data_classes,
            latency_p99_us, card, registered_at
          FROM intelligence_model_version
         WHERE capability = 'intent.understand' AND version = '1'
        """
    )
    set_alias("intent.understand", "champion", "altered")
