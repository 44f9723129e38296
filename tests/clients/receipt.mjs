// Reads a receipt of ours with nothing but the JWKS.
import { issuer, report } from './server.mjs'
import * as jose from 'jose'

const receipt = process.env.CLIENT_TOKEN
const keys = jose.createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer))
const { payload, protectedHeader, key } = await jose.compactVerify(receipt, keys)
const says = JSON.parse(new TextDecoder().decode(payload))

// The offer has a signature of its own, over the same members.
const [header, , signature] = says.quote.quote_signature.split('.')
const offer = jose.base64url.encode(JSON.stringify(says.quote.offer))
const offered = await jose.compactVerify(`${header}.${offer}.${signature}`, keys)

const [head, , sealed] = receipt.split('.')
const richer = jose.base64url.encode(JSON.stringify({ ...says, dest_amount: '1000.00' }))
const refusal = await jose.compactVerify(`${head}.${richer}.${sealed}`, keys).catch((e) => e.code)

report({
  alg: protectedHeader.alg,
  typ: protectedHeader.typ,
  names_its_key:
    protectedHeader.kid === (await jose.calculateJwkThumbprint(await jose.exportJWK(key))),
  payout_id: says.payout_id,
  final: says.final,
  spelled_the_same: JSON.stringify(says) === new TextDecoder().decode(payload),
  offer: offered.protectedHeader.typ,
  forged: refusal,
})
