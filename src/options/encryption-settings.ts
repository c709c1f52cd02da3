import { readEncryptionKeys } from '../model/encryption-keys.ts'
import { isFunction } from '../model/option-rules.ts'
import type { Settings } from './setting.ts'

/** How the inbox is encrypted. */
export const encryptionSettings = {
  keys: {
    rule: {
      expected: 'lines id:key, as a text or a list, or a function that returns them',
      accepts: (value) => isFunction.accepts(value) || (isKeyLines(value) && keysProblem(value) === undefined),
      problem: (value) => (isKeyLines(value) ? keysProblem(value) : undefined)
    },
    env: 'RIVERHOOK_ENCRYPTION_KEYS',
    file: true,
    also: ['key', 'secret', 'masterKey'],
    means:
      'The keys that encrypt what is stored: lines `id:key`, each with 32 bytes in Base64. The first one encrypts, all decrypt. See [docs/encryption.md](encryption.md)'
  }
} as const satisfies Settings

function isKeyLines(value: unknown): value is string | readonly string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every((line) => typeof line === 'string'))
}

function keysProblem(value: string | readonly string[]): string | undefined {
  const keys = readEncryptionKeys(value)
  return typeof keys === 'string' ? keys : undefined
}
