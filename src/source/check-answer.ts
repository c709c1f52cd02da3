import { RiverhookError } from '../model/errors.ts'
import { ignoreRejection, isThenable } from '../model/not-begun.ts'
import { describeValue } from '../model/option-rules.ts'
import type { Source, Verifier } from './source.ts'

/** The methods of a source that decide about a request. */
type Method = 'precheck' | 'verify' | 'read'

/**
 * Checks that a source returned a verdict. A source written in JavaScript may return anything, and a promise must not
 * pass as acceptance.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT, which names the source and the method
 */
export function checkAnswer<Answer extends { readonly ok: boolean }>(
  { name }: Pick<Source, 'name'>,
  method: Method,
  answer: Answer
): Answer {
  const given: unknown = answer
  if (typeof given === 'object' && given !== null && 'ok' in given && typeof given.ok === 'boolean') return answer
  ignoreRejection(given)
  const found = isThenable(given) ? 'a promise' : describeValue(given)
  throw new RiverhookError(
    'RIVERHOOK_RECEIVE_FAULT',
    `${method}() of the source ${name} must return an object whose "ok" is true or false; it returned ${found}`
  )
}

/**
 * Prepares the secrets of an endpoint.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET; RIVERHOOK_OPTIONS_INVALID if the source returns no verifier
 */
export function prepareVerifier(source: Source, secrets: readonly string[]): Verifier {
  const given: Verifier = source.verifier(secrets)
  const verifier: unknown = given
  const isObject = typeof verifier === 'object' && verifier !== null
  if (isObject && 'verify' in verifier && typeof verifier.verify === 'function') return given
  ignoreRejection(verifier)
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `Option "source": verifier() of ${source.name} must return an object with a function "verify"`
  )
}
