"""The public keys of a legal entity, for programs that check decision tokens themselves."""

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

import sentinel.public
from apps.api.edge import ProgramView


class KeySet(ProgramView):
    """`GET`: the JWK Set (RFC 7517) of decision tokens, which anybody may read."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, _request: Request, entity: str) -> Response:
        """Return the keys whose tokens are good now, and the one that signs next."""
        if entity not in {each.entity for each in sentinel.public.legal_entities()}:
            raise NotFound
        with sentinel.public.legal_entity(entity=entity):
            try:
                found = sentinel.public.json_web_keys()
            except sentinel.public.SignerUnavailable as error:
                return Response({"code": error.code}, status=503, headers={"Retry-After": "5"})
        kept = f"public, max-age={sentinel.public.KEPT_OUTSIDE_SECONDS}"
        return Response(
            found, content_type="application/jwk-set+json", headers={"Cache-Control": kept}
        )
