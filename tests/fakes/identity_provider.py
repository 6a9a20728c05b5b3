"""An OpenID Connect provider on loopback, as far as the code flow with PKCE goes (OpenID Connect Core 1.0, 3.1)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.fakes.served import Served

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "FakeIdentityProvider"]

CLIENT_ID = "praja"
CLIENT_SECRET = "rahasia-oidc"


class FakeIdentityProvider(Served):
    """Whoever is asked for is signed in at once as `subject`; `lies` overrides claims of the token it issues."""

    def __init__(self, now: Any) -> None:
        self.subject = "dinas-123"
        self.lies: dict[str, Any] = {}
        self.key = ECKey.generate_key("P-256", {"kid": "satu"})
        self._signing = self.key
        self._now = now
        self._asked: dict[str, dict[str, str]] = {}
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._configuration),
                web.get("/otorisasi", self._authorize),
                web.post("/token", self._token),
                web.get("/kunci", self._keys),
            ]
        )
        super().__init__(app)

    @property
    def issuer(self) -> str:
        return self.url

    def sign_with_another_key(self) -> None:
        self._signing = ECKey.generate_key("P-256", {"kid": "satu"})

    async def _configuration(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/otorisasi",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/kunci",
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        code = f"kode-{len(self._asked)}"
        self._asked[code] = asked
        back = f"{asked['redirect_uri']}?code={code}&state={asked['state']}"
        return web.Response(status=303, headers={"Location": back})

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        asked = self._asked.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or form["client_secret"] != CLIENT_SECRET
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": self.subject,
            "nonce": asked["nonce"],
            "exp": int(self._now().timestamp()) + 300,
            **self.lies,
        }
        token = jwt.encode({"alg": "ES256", "kid": "satu"}, claims, self._signing, algorithms=["ES256"])
        return web.json_response({"id_token": token, "access_token": "x", "token_type": "Bearer"})

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.as_dict(private=False)]})
