import { clientId, clientSecret, credentialUrl, issuer, keyPair } from './server.mjs'
import { recordingFetch, replay, report } from './server.mjs'
import * as openid from 'openid-client'

const discover = (authentication) =>
  openid.discovery(issuer, clientId, undefined, authentication, {
    algorithm: 'oauth2',
    // The test's server listens on loopback, without TLS.
    execute: [openid.allowInsecureRequests],
    [openid.customFetch]: recordingFetch,
  })

const config = await discover(openid.ClientSecretBasic(clientSecret))
const DPoP = openid.getDPoPHandle(config, keyPair)
const call = (token) =>
  openid.fetchProtectedResource(config, token, credentialUrl, 'GET', undefined, undefined, { DPoP })
const isActive = async (token) => (await openid.tokenIntrospection(config, token)).active

const minted = await openid.clientCredentialsGrant(config, undefined, { DPoP })
const token = minted.access_token
const replayedMint = await replay()

const first = await call(token)
const { client_id, jkt } = await first.json()
const second = await call(token)
const replayedCall = await replay()

const byKey = await discover(openid.PrivateKeyJwt(keyPair.privateKey))
const byAssertion = await openid.clientCredentialsGrant(byKey, undefined, { DPoP })
const third = await call(byAssertion.access_token)

const before = await isActive(token)
await openid.tokenRevocation(config, token)
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
})
