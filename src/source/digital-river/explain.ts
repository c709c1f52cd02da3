import { explainUnmatched } from '../explain-unmatched.ts'
import type { SourceRequest } from '../source.ts'
import { readHeader } from './header.ts'
import { isSignedWith, keyOf } from './sign.ts'

/** Explains, for the log, why no secret matched. Never throws. @returns a sentence, or undefined */
export function explain(secrets: readonly string[], request: SourceRequest): string | undefined {
  const header = readHeader(request)
  if (!header.ok) return undefined
  const { times, signatures } = header
  const { text: timestamp } = times.find(({ at }) => at !== undefined) ?? times[0]
  return explainUnmatched(secrets, request.body, (secret, bytes) =>
    isSignedWith(keyOf(secret), timestamp, bytes, signatures)
  )
}
