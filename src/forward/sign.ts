/** The three headers of Standard Webhooks. Without a secret, the signature is left out. */
export async function signatureHeaders(
  id: string,
  body: Uint8Array,
  secrets: readonly string[],
  at: Date
): Promise<Record<string, string>> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)) }
  if (secrets.length === 0) return headers
  // Loaded when something is signed: most servers need no other source than their own.
  const { standardWebhooks } = await import('../source/standard-webhooks.ts')
  const source = standardWebhooks()
  const signatures = secrets.map((secret) => source.sign({ body, secret, at, id })['webhook-signature'])
  return { ...headers, 'webhook-signature': signatures.join(' ') }
}
