import { RiverhookError } from '../../../model/errors.ts'
import { readSecretValue } from '../../../model/value-text.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const keyName = 'DIGITAL_RIVER_API_KEY'
const fileName = 'DIGITAL_RIVER_API_KEY_FILE'
const whereToFind =
  'a confidential key, or a restricted one with the permissions for webhooks and events, from the dashboard of Digital River ' +
  '(Developers > API keys)'

/**
 * The API key: the option, `DIGITAL_RIVER_API_KEY`, or the value in the file named by `DIGITAL_RIVER_API_KEY_FILE`.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is none, or it cannot be a confidential key. Never quotes
 * it.
 */
export function readKey(option: string | undefined, environment: Environment): string {
  if (option !== undefined) return checkKey(option, 'The option apiKey')
  const key = readSecretValue(keyName, environment)
  if (key !== undefined)
    return checkKey(key, environment[keyName] === undefined ? `The file that ${fileName} names` : keyName)
  throw invalid(`No API key. Set ${keyName} or ${fileName}, or the option apiKey, to ${whereToFind}.`)
}

/**
 * The environment of a key. The provider documents only the prefix `sk_test_`, not that of live keys. Any other `sk_`
 * is taken for live: if that is wrong, there is one warning too many instead of one too few.
 */
export function modeOf(key: string): 'test' | 'live' | undefined {
  if (key.startsWith('sk_test_')) return 'test'
  return key.startsWith('sk_') ? 'live' : undefined
}

function checkKey(key: unknown, origin: string): string {
  if (typeof key !== 'string') throw invalid(`${origin} must be text: ${whereToFind}.`)
  if (key === '') throw invalid(`${origin} is empty. It must contain ${whereToFind}.`)
  // fetch would throw an error that quotes a key that a header cannot contain.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw invalid(`${origin} contains white space, a line end or a character that no key has. Paste only the key.`)
  }
  if (key.startsWith('pk_')) {
    throw invalid(`${origin} is a public key (pk_...), meant for browsers. Here it must be ${whereToFind}.`)
  }
  return key
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
