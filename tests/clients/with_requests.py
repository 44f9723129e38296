"""The same walk as the scripts beside this one, with requests-oauth2client."""

import json
import os
import re

import requests
from jwskate import Jwk
from requests_oauth2client import (
    ClientSecretBasic,
    DPoPKey,
    MissingDPoPNonce,
    OAuth2Client,
    PrivateKeyJwt,
)

issuer = os.environ["CLIENT_ISSUER"]
client_id = os.environ["CLIENT_ID"]
# The pair whose public half is registered with the server, which takes proofs of no other key.
key = Jwk.from_pem(os.environ["CLIENT_KEY"]).with_kid_thumbprint()
alg = "ES256" if key.kty == "EC" else "EdDSA"
dpop_key = DPoPKey(key, alg=alg)

# The last request as the library made it, proof included, so that it can be sent once more.
sent = []
session = requests.Session()
session.hooks["response"].append(lambda response, **_: sent.append(response.request))


def discover(auth):
    return OAuth2Client.from_discovery_endpoint(
        f"{issuer}/.well-known/oauth-authorization-server",
        issuer,
        auth=auth,
        session=session,
        testing=True,  # The test's server listens on loopback, without TLS.
    )


def call(token):
    return session.get(f"{issuer}/v1/credential", auth=token)


def replay():
    """Status and error code of the same request with the same proof."""
    request = sent[-1]
    response = requests.request(
        request.method, request.url, headers=request.headers, data=request.body
    )
    challenge = re.search(r'error="(\w+)"', response.headers.get("WWW-Authenticate", ""))
    return [response.status_code, challenge[1] if challenge else response.json()["error"]]


client = discover(ClientSecretBasic(client_id, os.environ["CLIENT_SECRET"]))
token = client.client_credentials(dpop=True, dpop_key=dpop_key)
replayed_mint = replay()

first = call(token)
second = call(token)
replayed_call = replay()

by_key = discover(PrivateKeyJwt(client_id, key, alg=alg))
third = call(by_key.client_credentials(dpop=True, dpop_key=dpop_key))

before = client.introspect_token(token)["active"]
client.revoke_access_token(token)
after = client.introspect_token(token)["active"]
try:
    refused = call(token)
except MissingDPoPNonce as error:
    # How this library takes every refusal that brings no nonce.
    refused = error.response

saw = {
    "token_type": token.token_type.lower(),
    # The library counts down from what it was told: up to a minute may have passed on a slow machine.
    "expires_in": 60 * ((token.expires_in + 59) // 60),
    "client_id": first.json()["client_id"],
    "jkt": first.json()["jkt"],
    "calls": [first.status_code, second.status_code, third.status_code],
    "replays": [replayed_mint, replayed_call],
    "active": [before, after],
    "revoked": [
        refused.status_code,
        re.search(r'error="(\w+)"', refused.headers["WWW-Authenticate"])[1],
    ],
}
print(json.dumps({"saw": saw}))
