import { clientId, clientSecret, credentialUrl, issuer, keyPair, lastRequest } from './server.mjs'
import { recordingFetch, replay, report } from './server.mjs'
import * as oauth from 'oauth4webapi'

// The test's server listens on loopback, without TLS.
const insecure = { [oauth.allowInsecureRequests]: true }
const client = { client_id: clientId }
const options = {
  ...insecure,
  [oauth.customFetch]: recordingFetch,
  DPoP: oauth.DPoP(client, keyPair),
}
const secret = oauth.ClientSecretBasic(clientSecret)

const discovered = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' })
const server = await oauth.processDiscoveryResponse(issuer, discovered)

// A server may ask for its nonce; this library leaves it to its user to try again.
async function withNonce(attempt) {
  try {
    return await attempt()
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return attempt()
    throw error
  }
}

const mint = (authentication) =>
  withNonce(async () => {
    const form = new URLSearchParams()
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      authentication,
      form,
      options,
    )
    return oauth.processClientCredentialsResponse(server, client, response)
  })

const call = (token) =>
  withNonce(() =>
    oauth.protectedResourceRequest(token, 'GET', credentialUrl, undefined, undefined, options),
  )

async function isActive(token) {
  const response = await oauth.introspectionRequest(server, client, secret, token, insecure)
  return (await oauth.processIntrospectionResponse(server, client, response)).active
}

const minted = await mint(secret)
const token = minted.access_token
const replayedMint = await replay()

const first = await call(token)
const { client_id, jkt } = await first.json()
const second = await call(token)
const replayedCall = await replay()

// The library's resource server half: signature by the JWKS, claims of RFC 9068, binding, proof.
const [url, { method, headers }] = lastRequest
const received = new Request(url, { method, headers })
const claims = await oauth.validateJwtAccessToken(server, received, issuer.origin, insecure)

const byAssertion = await mint(oauth.PrivateKeyJwt(keyPair.privateKey))
const third = await call(byAssertion.access_token)

const before = await isActive(token)
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, secret, token, insecure),
)
const refused = await call(token).catch((error) => error)

report({
  token_type: minted.token_type,
  expires_in: minted.expires_in,
  client_id,
  jkt,
  calls: [first.status, second.status, third.status],
  replays: [replayedMint, replayedCall],
  active: [before, await isActive(token)],
  revoked: [refused.status, refused.cause[0].parameters.error],
  validated: claims.client_id,
})
