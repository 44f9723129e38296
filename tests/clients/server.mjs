// What the test tells each script about its server and client, and how a script answers.
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto'

// Node 18, which Debian 12 has, knows these two but does not make them global.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

export const issuer = new URL(process.env.CLIENT_ISSUER)
export const clientId = process.env.CLIENT_ID
export const clientSecret = process.env.CLIENT_SECRET
export const credentialUrl = new URL('/v1/credential', issuer)

// The pair whose public half is registered with the server, which takes proofs of no other key.
const pem = createPrivateKey(process.env.CLIENT_KEY)
const algorithm =
  pem.asymmetricKeyType === 'ec' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' }
const half = (key, usage) =>
  crypto.subtle.importKey('jwk', key.export({ format: 'jwk' }), algorithm, true, [usage])
export const keyPair = {
  privateKey: await half(pem, 'sign'),
  publicKey: await half(createPublicKey(pem), 'verify'),
}

// The last request as the library made it, proof included, so that it can be sent once more.
export let lastRequest
export const recordingFetch = (url, options) => {
  lastRequest = [url, options]
  return fetch(url, options)
}

// Status and error code of the same request with the same proof.
export async function replay() {
  const response = await fetch(...lastRequest)
  const challenge = response.headers.get('www-authenticate')
  const error = /error="(\w+)"/.exec(challenge)?.[1] ?? (await response.json()).error
  return [response.status, error]
}

// The one line that the test waits for.
export const report = (saw) => console.log(JSON.stringify({ saw }))
