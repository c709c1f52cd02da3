import { RiverhookError } from '../../model/errors.ts'

/** The code of our own errors, and the class of others, for the attribute `error.type`. Never throws. */
export function errorType(error: unknown): string {
  try {
    if (error instanceof RiverhookError) return error.code
    const { name } = error as { readonly name?: unknown }
    // A name from outside could be a text with personal data.
    if (error instanceof Error && typeof name === 'string' && /^[A-Za-z_$][\w$]{0,99}$/.test(name)) return name
  } catch {
    // A revoked proxy, for example.
  }
  return '_OTHER'
}
