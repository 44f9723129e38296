// Reads a token of ours with nothing but the JWKS and the public half of the client's key.
import { issuer, keyPair, report } from './server.mjs'
import * as jose from 'jose'

const token = process.env.CLIENT_TOKEN
const keys = jose.createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer))
const expected = { issuer: issuer.origin, audience: issuer.origin, typ: 'at+jwt' }
const { payload, protectedHeader, key } = await jose.jwtVerify(token, keys, expected)

const published = await jose.calculateJwkThumbprint(await jose.exportJWK(key))
const registered = await jose.calculateJwkThumbprint(await jose.exportJWK(keyPair.publicKey))

const [header, , signature] = token.split('.')
const claims = jose.base64url.encode(JSON.stringify({ ...payload, sub: 'somebody else' }))
const forged = `${header}.${claims}.${signature}`
const refusal = await jose.jwtVerify(forged, keys, expected).catch((error) => error.code)

report({
  alg: protectedHeader.alg,
  names_its_key: protectedHeader.kid === published,
  is_bound_to_our_key: payload.cnf.jkt === registered,
  client_id: payload.client_id,
  forged: refusal,
})
