import { RiverhookError } from './errors.ts'

/**
 * Refuses signing secrets that anybody could guess: an empty list, an empty secret, and a secret of NUL characters
 * only, which HMAC treats as an empty key.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET, which names a secret by its position only
 */
export function checkSecrets(secrets: readonly unknown[]): asserts secrets is readonly string[] {
  if (secrets.length === 0) {
    throw new RiverhookError('RIVERHOOK_SOURCE_SECRET', 'There is no signing secret in the list')
  }
  // `findIndex` also visits the holes of a list.
  const wrong = secrets.findIndex((secret) => typeof secret !== 'string' || secret.replaceAll('\0', '').trim() === '')
  if (wrong === -1) return
  throw new RiverhookError(
    'RIVERHOOK_SOURCE_SECRET',
    `Signing secret number ${wrong + 1} is empty or not a string: is the variable that it comes from set?`
  )
}
