import { createHmac } from 'node:crypto'

/** How a contestant wants its requests to be signed. */
export interface Scheme {
  readonly secret: string
  /**
   * The header lines, each ended by CRLF, that make `body` authentic. For bodies and ids of one length the lines
   * have one length too, so that a request can be patched in place.
   */
  lines(id: string, atSeconds: number, body: Uint8Array): string
}

const key = Buffer.alloc(24, 'riverhook bench')

export const schemes = {
  'digital-river': {
    secret: 'whk_00000000-0000-4000-8000-00000000beef',
    lines(_id, at, body) {
      const signature = createHmac('sha256', this.secret).update(`${at}.`).update(body).digest('base64')
      return `DigitalRiver-Signature: ${at}, ${signature}\r\n`
    }
  },
  'standard-webhooks': {
    secret: `whsec_${key.toString('base64')}`,
    lines(id, at, body) {
      const signature = createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest('base64')
      return `webhook-id: ${id}\r\nwebhook-timestamp: ${at}\r\nwebhook-signature: v1,${signature}\r\n`
    }
  },
  github: {
    secret: 'riverhook bench',
    lines(id, _at, body) {
      const signature = createHmac('sha256', this.secret).update(body).digest('hex')
      return `x-github-event: push\r\nx-github-delivery: ${id}\r\nx-hub-signature-256: sha256=${signature}\r\n`
    }
  }
} satisfies Record<string, Scheme>

export type SchemeName = keyof typeof schemes
