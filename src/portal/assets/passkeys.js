// Asks the browser for a passkey, or for a new one, and sends its answer as the form that was pressed. The
// server's challenge is fetched first; the private half of a passkey never leaves the authenticator.
const decode = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};
const encode = (bytes) => {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

// What went wrong, for people. Browsers say the same thing for "not wanted" and "not found", on purpose.
const WORDS = {
  NotAllowedError: "Nothing was chosen, or it took too long. Try again when you are ready.",
  InvalidStateError: "This device has a passkey for you already.",
  SecurityError: "Passkeys do not work at this address: open the page under the server’s own name.",
  NotSupportedError: "This device cannot keep such a passkey; try another one.",
};

async function challenge(form) {
  const { csrf, current, code, "passkey-name": name } = form.elements;
  const fields = new URLSearchParams();
  if (name) fields.set("passkey-name", name.value);
  if (current) fields.set("current", current.value);
  if (code) fields.set("code", code.value);
  const headers = { "X-CSRF-Token": csrf.value };
  const answer = await fetch(form.dataset.challenge, { method: "POST", headers, body: fields });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told.publicKey;
  const message = told.error?.message ?? "the server gave no challenge; reload the page";
  throw new Error(`${message[0].toUpperCase()}${message.slice(1)}.`);
}

function binary(options) {
  const known = (list) => list?.map((one) => ({ ...one, id: decode(one.id) }));
  const read = { ...options, challenge: decode(options.challenge) };
  if (options.user) read.user = { ...options.user, id: decode(options.user.id) };
  if (options.excludeCredentials) read.excludeCredentials = known(options.excludeCredentials);
  if (options.allowCredentials) read.allowCredentials = known(options.allowCredentials);
  return read;
}

function written({ id, rawId, type, response }) {
  const told = { clientDataJSON: encode(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) told[name] = encode(response[name]);
  }
  return JSON.stringify({ id, rawId: encode(rawId), type, response: told });
}

async function run(form) {
  const status = form.querySelector("[role=status]");
  const button = form.querySelector("button");
  button.disabled = true;
  status.textContent = "Waiting for your passkey…";
  try {
    const publicKey = binary(await challenge(form));
    const made = await navigator.credentials[form.dataset.passkey]({ publicKey });
    form.elements.credential.value = written(made);
    // The challenge was given for the password and the code; they need not travel twice.
    for (const name of ["current", "code"]) {
      if (form.elements[name]) form.elements[name].disabled = true;
    }
    form.submit();
  } catch (error) {
    status.textContent = WORDS[error.name] ?? error.message;
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!globalThis.PublicKeyCredential || !navigator.credentials) break;
  form.hidden = false;
  document.querySelector("[data-passkey-missing]")?.remove();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form);
  });
}
