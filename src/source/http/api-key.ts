import { RiverhookError } from '../../model/errors.ts'
import { isExposed } from '../../model/option-rules.ts'
import { readSecretValue } from '../../model/value-text.ts'

/** Where a key is given, and what it is, for a person. */
export interface KeyPlace {
  /** The environment variable, such as `STRIPE_API_KEY`; with `_FILE` behind it, the name of a file. */
  readonly variable: string
  /** For example: a restricted key that may write webhook endpoints. */
  readonly description: string
}

/**
 * The key of an API: the option, else the variable.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is none, or a header cannot hold it. Never quotes it.
 */
export function readApiKey(option: string | undefined, { variable, description }: KeyPlace): string {
  const key = option ?? readSecretValue(variable, process.env)
  if (key === undefined)
    throw invalid(`No API key. Set ${variable} or ${variable}_FILE, or the option apiKey, to ${description}.`)
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw invalid('The API key is empty, or contains white space or a character that no key has. Paste only the key.')
}

/**
 * The base of all paths, without a slash at the end.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a URL that is none, or over which others could read the key
 */
export function readApiUrl(option: string | undefined, standard: string): string {
  if (option === undefined) return standard
  const url = URL.canParse(option) ? new URL(option) : undefined
  const isPlain =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === ''
  if (!isPlain)
    throw invalid(
      `The option apiUrl must be an http or https URL without credentials, query and fragment, such as ${standard}`
    )
  if (isExposed(url.href))
    throw invalid('The option apiUrl must be an https URL: over http, others could read the API key')
  return url.href.replace(/\/+$/, '')
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
