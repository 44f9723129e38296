//! First calls, ready to paste.

use maud::{Markup, html};

/// Needs Node alone. `proof.mjs METHOD URL [TOKEN]` prints a proof; curl and the call use it.
const PROOF: &str = r#"// proof.mjs METHOD URL [TOKEN]: prints a DPoP proof (RFC 9449). Node 18 or newer, no packages.
import { createHash, createPrivateKey, createPublicKey, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const key = createPrivateKey(readFileSync("counterfoil-key.pem"));
const { kty, crv, x, y } = createPublicKey(key).export({ format: "jwk" });
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export function proof(method, url, token) {
  const alg = kty === "OKP" ? "EdDSA" : "ES256";
  const claims = { jti: randomUUID(), htm: method, htu: url.split("?")[0], iat: Math.floor(Date.now() / 1000) };
  if (token) claims.ath = createHash("sha256").update(token).digest("base64url");
  const input = `${encode({ typ: "dpop+jwt", alg, jwk: { kty, crv, x, y } })}.${encode(claims)}`;
  const hash = kty === "OKP" ? null : "sha256";
  return `${input}.${sign(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(proof(...process.argv.slice(2)));"#;

fn node(origin: &str, client: &str) -> String {
    format!(
        r#"// call.mjs, beside proof.mjs:  CLIENT_SECRET=… node call.mjs
import {{ proof }} from "./proof.mjs";

const base = "{origin}";
const basic = Buffer.from(`{client}:${{process.env.CLIENT_SECRET}}`).toString("base64");
const minted = await fetch(`${{base}}/oauth/token`, {{
  method: "POST",
  headers: {{ Authorization: `Basic ${{basic}}`, DPoP: proof("POST", `${{base}}/oauth/token`) }},
  body: new URLSearchParams({{ grant_type: "client_credentials" }}),
}});
const {{ access_token: token }} = await minted.json();
const url = `${{base}}/v1/credential`;
const headers = {{ Authorization: `DPoP ${{token}}`, DPoP: proof("GET", url, token) }};
console.log(await (await fetch(url, {{ headers }})).json());"#
    )
}

fn curl(origin: &str, client: &str) -> String {
    format!(
        r#"# beside proof.mjs
BASE={origin}
TOKEN=$(curl -s "$BASE/oauth/token" -u "{client}:$CLIENT_SECRET" \
  -H "DPoP: $(node proof.mjs POST "$BASE/oauth/token")" \
  -d grant_type=client_credentials | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s "$BASE/v1/credential" -H "Authorization: DPoP $TOKEN" \
  -H "DPoP: $(node proof.mjs GET "$BASE/v1/credential" "$TOKEN")""#
    )
}

fn command(origin: &str, client: &str, secret: &str) -> String {
    format!(
        "chmod 600 counterfoil-key.pem\n(umask 077; cat > counterfoil-profile.toml) <<'END'\n\
         base_url = \"{origin}\"\nclient_id = \"{client}\"\nclient_secret = \"{secret}\"\n\
         private_key = \"counterfoil-key.pem\"\nEND\ncounterfoil call GET /v1/credential"
    )
}

fn snippet(name: &str, text: &str) -> Markup {
    html! { div.copied data-copy=(name) { pre tabindex="0" { (text) } } }
}

/// The calls for this credential, in three ways.
pub(super) fn ready(origin: &str, client: &str, secret: &str) -> Markup {
    html! {
        p.sub { "In the folder of the downloaded " code { "counterfoil-key.pem" } ". Each shows who you are." }
        div.tabs {
            details open { summary { "The counterfoil command" } (snippet("the command", &command(origin, client, secret))) }
            details { summary { "Node" } (snippet("proof.mjs", PROOF)) (snippet("call.mjs", &node(origin, client))) }
            details { summary { "curl" } p.sub { "A proof is signed for each call; " code { "proof.mjs" } " above does it." }
                (snippet("the curl calls", &curl(origin, client))) }
        }
    }
}
