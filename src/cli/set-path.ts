import { RiverhookError } from '../index.ts'
import { parseExactJson } from '../programs.ts'

/**
 * Sets one field of a JSON document: `data.object.items.0.quantity=2`. Creates missing objects on the way. The value is
 * read as JSON, or as text if it is not JSON; it always replaces a text by a text. A number keeps all its digits.
 * @param assignment `path=value`
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE when the path leads through something that has no fields
 */
export function setPath(document: object, assignment: string): void {
  const [, path = '', value = ''] = /^([^=]+)=(.*)$/s.exec(assignment) ?? []
  const steps = path.split('.')
  const last = steps.pop()
  if (last === undefined || [...steps, last].includes(''))
    throw usage(assignment, 'write PATH=VALUE, such as data.object.id=o1')
  let place = document as Record<string, unknown>
  for (const [index, step] of steps.entries()) {
    assertPlace(place, step, assignment)
    const next = Object.hasOwn(place, step) ? place[step] : (place[step] = {})
    // A number with all its digits is a frozen object.
    if (typeof next !== 'object' || next === null || Object.isFrozen(next))
      throw usage(
        assignment,
        `${steps.slice(0, index + 1).join('.')} has no fields, because it is ${JSON.stringify(next)}`
      )
    place = next as Record<string, unknown>
  }
  assertPlace(place, last, assignment)
  place[last] = typeof place[last] === 'string' ? value : read(value)
}

function assertPlace(place: object, step: string, assignment: string): void {
  if (step === '__proto__') throw usage(assignment, '__proto__ cannot be set')
  if (Array.isArray(place) && !/^\d{1,4}$/.test(step))
    throw usage(assignment, `"${step}" is not an index of a list; the first item is 0`)
}

function read(value: string): unknown {
  const parsed = parseExactJson(Buffer.from(value))
  return parsed === undefined ? value : parsed
}

function usage(assignment: string, reason: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_CLI_USAGE', `--set ${assignment}: ${reason}`)
}
