"""Verifies deliveries as each API's page tells its receivers to, and with the library of Standard
Webhooks, unchanged. Nothing here knows how they were signed."""

import base64
import hashlib
import hmac
import json
import os
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook


def digest(secret, message):
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def fresh(seconds):
    return abs(time.time() - int(seconds)) <= 300


def pairs(header):
    return [part.split("=", 1)[1] for part in header.split(",")]


def payouts(headers, body, key, name="x-webhook-signature"):
    timestamp = headers["x-webhook-timestamp"]
    wanted = digest(key["secret"], f"{timestamp}.{body}")
    return fresh(timestamp) and hmac.compare_digest(headers[name].removeprefix("v1="), wanted)


def group_checkout(headers, body, key, name="ante-signature"):
    timestamp, v1 = pairs(headers[name])
    wanted = digest(key["secret"], f"{timestamp}.{body}")
    return fresh(timestamp) and hmac.compare_digest(v1, wanted)


def payments(headers, body, key):
    return hmac.compare_digest(headers["ateni-signature"], digest(key["secret"], body))


def payments_besides(headers, body, key):
    timestamp, *every = pairs(headers["ateni-signature-v1"])
    wanted = digest(key["secret"], f"{timestamp}.{body}")
    return fresh(timestamp) and any(hmac.compare_digest(one, wanted) for one in every)


def stores(headers, body, key, name="x-anonymouspay-signature"):
    wanted = digest(key["secret"], body)
    return hmac.compare_digest(headers[name].removeprefix("sha256="), wanted)


def standard(headers, body, key):
    Webhook(key["secret"]).verify(body, headers)
    return True


def standard_besides(headers, body, key):
    public = base64.b64decode(key["public_key"].removeprefix("whpk_"))
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    for version, signature in (one.split(",") for one in headers["webhook-signature"].split(" ")):
        if version == "v1a":
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(
                    base64.b64decode(signature), message
                )
                return True
            except Exception:
                pass
    return False


def holds(check, *what):
    try:
        return check(*what)
    except Exception:
        return False


published = {
    "payouts": payouts,
    "group_checkout": group_checkout,
    "payments": payments,
    "stores": stores,
    "standard": standard,
}
besides = {
    "payouts": lambda *what: payouts(*what, name="x-webhook-signature-next"),
    "group_checkout": lambda *what: group_checkout(*what, name="ante-signature-next"),
    "payments": payments_besides,
    "stores": lambda *what: stores(*what, name="x-anonymouspay-signature-previous"),
    "standard": standard_besides,
}

saw = []
for one in json.loads(os.environ["WEBHOOKS"]):
    what = (one["headers"], one["body"], one["key"])
    dialect = one["dialect"]
    saw.append([dialect, holds(published[dialect], *what), holds(besides[dialect], *what)])
print(json.dumps({"saw": saw}))
