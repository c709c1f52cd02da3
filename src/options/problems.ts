import { RiverhookError, type RiverhookErrorCode } from '../model/errors.ts'
import { joinProblems, type OptionProblem } from '../model/option-rules.ts'

/** A problem with the options, as a sentence that names the option. */
export interface OptionsProblem {
  readonly code: RiverhookErrorCode
  readonly text: string
}

/** Each problem as a sentence that names the option. */
export const describeProblems = (problems: readonly OptionProblem[]): OptionsProblem[] =>
  problems.map(({ name, problem }) => invalid(`Option "${name}" ${problem}`))

/** A problem with the value of an option. */
export const invalid = (text: string): OptionsProblem => ({ code: 'RIVERHOOK_OPTIONS_INVALID', text })

/** Whether a problem is only one of a server: a command receives no request, so it needs no credentials. */
export function isOfServer(code: RiverhookErrorCode): boolean {
  return code === 'RIVERHOOK_OPTIONS_NO_CREDENTIALS' || code === 'RIVERHOOK_SOURCE_SECRET'
}

/** The problem that a check throws, if any. */
export function problemOf(check: () => unknown, ending = ''): readonly OptionsProblem[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof RiverhookError) return [{ code: error.code, text: `${error.message}${ending}` }]
    throw error
  }
}

/** One error for all problems, with the code of the first. */
export function optionsError(problems: readonly OptionsProblem[], cause?: unknown): RiverhookError {
  const code = problems[0]?.code ?? 'RIVERHOOK_OPTIONS_INVALID'
  return new RiverhookError(code, joinProblems(problems.map(({ text }) => text)), cause === undefined ? {} : { cause })
}

/** One hour in milliseconds. */
export const hourMs = 3_600_000

/** A span as an option has it, in its largest whole unit up to hours: `72h`, `3s`. */
export function spanAsOption(ms: number): string {
  if (ms % hourMs === 0) return `${ms / hourMs}h`
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`
}
