import { RiverhookError } from '../errors.ts'
import { isThenable } from '../not-begun.ts'
import { describeValue } from '../option-rules.ts'
import type { Source } from '../source/source.ts'

/** The methods of a source whose answer decides over a request. */
type Method = 'precheck' | 'verify' | 'read'

/**
 * Checks at run time that a source has answered yes or no: its types are no check where it is written in JavaScript, and a promise, which is
 * neither, must let nobody in.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT, which names the source and the method
 */
export function checkAnswer<Answer extends { readonly ok: boolean }>({ name }: Pick<Source, 'name'>, method: Method, answer: Answer): Answer {
  const given: unknown = answer
  if (typeof given === 'object' && given !== null && 'ok' in given && typeof given.ok === 'boolean') return answer
  // A rejection that nobody catches would end the process.
  if (isThenable(given)) Promise.resolve(given).catch(() => undefined)
  const found = isThenable(given) ? 'a promise' : describeValue(given)
  throw new RiverhookError('RIVERHOOK_RECEIVE_FAULT', `${method}() of the source ${name} must return an object whose "ok" is true or false; it returned ${found}`)
}
