/** How the inbox is encrypted. `RIVERHOOK_ENCRYPTION_KEYS` of the server. */
export interface EncryptionOptions {
  /**
   * Lines `id:key`, each with 32 bytes in Base64, or a function that returns them, such as from a key service. It is
   * called when the inbox is opened. New data is encrypted with the first key, and all can decrypt. A first line
   * `plain` ends the encryption of new data.
   */
  readonly keys: string | readonly string[] | (() => KeyLines | Promise<KeyLines>)
}

type KeyLines = string | readonly string[]

/** A key that encrypts what is stored. */
export interface EncryptionKey {
  /** Stored with all that the key encrypts. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** The keys of an inbox. */
export interface EncryptionKeys {
  /** Encrypts what is written; undefined: it is written in plain text. */
  readonly first: EncryptionKey | undefined
  /** By id. */
  readonly all: ReadonlyMap<string, EncryptionKey>
}

/** The line in the place of the first key: new data is written in plain text, and the keys only read. */
const plainLine = 'plain'
const keyBytes = 32

/**
 * Reads lines such as `2026-11:BASE64`, each an id and 32 bytes in Base64.
 * @returns the keys, or what is wrong, which names the line and never a value
 */
export function readEncryptionKeys(given: string | readonly string[]): EncryptionKeys | string {
  const lines = [given]
    .flat()
    .flatMap((text) => text.split(/\r\n|\r|\n/))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const all = new Map<string, EncryptionKey>()
  for (const [index, line] of lines.entries()) {
    if (index === 0 && line === plainLine) continue
    const [, id = '', text = ''] = /^([\w.-]{1,40}):(\S+)$/.exec(line) ?? []
    const where = `line ${index + 1}`
    if (id === '') return `must have lines id:key; ${where} has another form`
    const key = readBase64(text)
    if (key?.byteLength !== keyBytes) return `must have keys of 32 bytes in Base64; that in ${where} is none`
    if (all.has(id)) return `must have each id once; that in ${where} is used before`
    all.set(id, { id, key })
  }
  if (all.size === 0) return 'has no key: make one with "openssl rand -base64 32", and write it as id:key'
  return { first: lines[0] === plainLine ? undefined : all.values().next().value, all }
}

/** Node decodes any text: a text that is not Base64 would be another key. */
function readBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  return bytes.toString('base64').replace(/=+$/, '') === plain ? bytes : undefined
}
