// Makes a key pair, signs the server's challenge with it, and offers the private half as a download.
// What is sent: the public members of the key, and that one signature. The private half lives in this
// page's memory and in the files you download; it is in no request.
const form = document.querySelector("form[data-keys]");
const at = (id) => document.getElementById(id);
const encode = (bytes) => {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const encodeText = (value) => encode(new TextEncoder().encode(JSON.stringify(value)));

const ALGORITHMS = {
  ES256: { make: { name: "ECDSA", namedCurve: "P-256" }, sign: { name: "ECDSA", hash: "SHA-256" }, name: "ES256" },
  Ed25519: { make: { name: "Ed25519" }, sign: { name: "Ed25519" }, name: "EdDSA" },
};

async function make(wanted) {
  try {
    const pair = await crypto.subtle.generateKey(ALGORITHMS[wanted].make, true, ["sign", "verify"]);
    return { pair, used: wanted };
  } catch (error) {
    if (wanted === "ES256") throw error;
    return make("ES256");
  }
}

async function challenge() {
  const headers = { "X-CSRF-Token": form.elements.csrf.value };
  const answer = await fetch(form.dataset.keys, { method: "POST", headers });
  if (!answer.ok) throw new Error("The server gave no challenge. Reload the page and sign in again.");
  return (await answer.json()).challenge;
}

async function prove(pair, used, jwk) {
  const { sign, name } = ALGORITHMS[used];
  const header = { typ: "key-possession+jwt", alg: name };
  const input = `${encodeText(header)}.${encodeText({ challenge: await challenge() })}`;
  const signature = await crypto.subtle.sign(sign, pair.privateKey, new TextEncoder().encode(input));
  // The public members by name: a list of what to leave out could forget one.
  const { kty, crv, x, y } = jwk;
  form.elements.jwk.value = JSON.stringify(y ? { kty, crv, x, y } : { kty, crv, x });
  form.elements.proof.value = `${input}.${encode(signature)}`;
}

function offer(id, name, type, text) {
  const link = at(id);
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.removeAttribute("aria-disabled");
  link.addEventListener("click", () => {
    at("register").disabled = false;
    at("why").textContent = "";
  });
}

async function pem(privateKey) {
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const lines = btoa(String.fromCharCode(...bytes)).match(/.{1,64}/g).join("\n");
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

async function run() {
  const wanted = form.elements.alg.value;
  at("make").disabled = true;
  at("register").disabled = true;
  at("made").textContent = "Making…";
  try {
    const { pair, used } = await make(wanted);
    const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
    await prove(pair, used, jwk);
    offer("pem", "counterfoil-key.pem", "application/x-pem-file", await pem(pair.privateKey));
    const { kty, crv, d, x, y } = jwk;
    offer("jwk", "counterfoil-key.jwk", "application/json", `${JSON.stringify({ kty, crv, x, y, d }, null, 2)}\n`);
    at("keep").classList.remove("waits");
    at("why").textContent = "Download the private half first.";
    at("made").textContent = used === wanted
      ? `An ${used} key pair is ready.`
      : `This browser cannot make Ed25519 keys; an ${used} key pair is ready instead.`;
    at("make").textContent = "Make another one";
  } catch (error) {
    at("made").textContent = `That did not work: ${error.message}`;
  } finally {
    at("make").disabled = false;
  }
}

if (form && globalThis.crypto?.subtle) at("make").addEventListener("click", run);
else if (form) at("made").textContent = "This browser makes keys on https pages only.";
