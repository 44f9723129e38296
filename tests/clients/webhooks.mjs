// Verifies deliveries as each API's page tells its receivers to, and with the library of Standard
// Webhooks, unchanged. Nothing here knows how they were signed.
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import { Webhook } from 'standardwebhooks'

const hmac = (secret, message) => createHmac('sha256', secret).update(message).digest('hex')
// Throws where the lengths differ, as it does in the published samples.
const same = (one, other) => timingSafeEqual(Buffer.from(one), Buffer.from(other))
const fresh = (seconds) => Math.abs(Date.now() / 1000 - Number(seconds)) <= 300

const published = {
  payouts(headers, body, { secret }) {
    const timestamp = headers['x-webhook-timestamp']
    const signature = headers['x-webhook-signature'].replace(/^v1=/, '')
    return fresh(timestamp) && same(signature, hmac(secret, `${timestamp}.${body}`))
  },
  group_checkout(headers, body, { secret }) {
    const [t, v1] = headers['ante-signature'].split(',').map((part) => part.split('=')[1])
    return fresh(t) && same(v1, hmac(secret, `${t}.${body}`))
  },
  payments: (headers, body, { secret }) => same(headers['ateni-signature'], hmac(secret, body)),
  stores(headers, body, { secret }) {
    const signature = headers['x-anonymouspay-signature'].replace('sha256=', '')
    return same(signature, hmac(secret, body))
  },
  standard(headers, body, { secret }) {
    new Webhook(secret).verify(body, headers)
    return true
  },
}

// What a receiver can look at besides, while a secret is being changed or where a key is public.
const besides = {
  payouts(headers, body, { secret }) {
    const message = `${headers['x-webhook-timestamp']}.${body}`
    return same(headers['x-webhook-signature-next'].replace(/^v1=/, ''), hmac(secret, message))
  },
  group_checkout(headers, body, { secret }) {
    const [t, v1] = headers['ante-signature-next'].split(',').map((part) => part.split('=')[1])
    return same(v1, hmac(secret, `${t}.${body}`))
  },
  payments(headers, body, { secret }) {
    const [t, ...all] = headers['ateni-signature-v1'].split(',').map((part) => part.split('=')[1])
    const wanted = hmac(secret, `${t}.${body}`)
    return fresh(t) && all.some((one) => same(one, wanted))
  },
  stores: (headers, body, { secret }) =>
    same(headers['x-anonymouspay-signature-previous'].replace('sha256=', ''), hmac(secret, body)),
  standard(headers, body, { public_key }) {
    const prefix = Buffer.from('302a300506032b6570032100', 'hex')
    const raw = Buffer.from(public_key.replace('whpk_', ''), 'base64')
    const key = createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' })
    const message = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
    const asymmetric = headers['webhook-signature'].split(' ').filter((one) => one.startsWith('v1a,'))
    return asymmetric.some((one) => verify(null, message, key, Buffer.from(one.slice(4), 'base64')))
  },
}

const holds = (check, ...what) => {
  try {
    return check(...what)
  } catch {
    return false
  }
}

const saw = JSON.parse(process.env.WEBHOOKS).map(({ dialect, headers, body, key }) => [
  dialect,
  holds(published[dialect], headers, body, key),
  holds(besides[dialect], headers, body, key),
])
console.log(JSON.stringify({ saw }))
