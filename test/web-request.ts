import { event, signatureHeaders } from './receive/receiver.ts'
import type { WebHandler } from '../src/web.ts'

/** Passes one signed request to a handler. @returns the status */
export async function post(handler: WebHandler): Promise<number> {
  const body = event()
  const headers = { 'content-type': 'application/json', ...signatureHeaders(body, 'whk_web') }
  const request = new Request('http://localhost/webhooks/digital-river', {
    method: 'POST',
    headers,
    body: Uint8Array.from(body)
  })
  return (await handler(request)).status
}
