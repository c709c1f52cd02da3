import { acknowledgeResult } from '../inbox/act-results.ts'
import type { Inbox, MismatchKind } from '../inbox/inbox.ts'
import type { AcknowledgeOptions } from '../interface.ts'
import type { Audit } from './audit.ts'

/** Acknowledges kinds of mismatches, or reopens them. See `Riverhook.acknowledgeMismatches`. */
export function acknowledgeMismatches(
  { inbox, audit }: { readonly inbox: Inbox; readonly audit: Audit },
  kinds: readonly MismatchKind[],
  { reopen = false, by }: AcknowledgeOptions = {}
): Promise<number> {
  const [only, ...others] = kinds
  const target = only === undefined || others.length > 0 ? `${kinds.length} kinds` : describeKind(only)
  return audit.run(
    { ...(reopen ? { action: 'mismatches.reopen' } : { action: 'mismatches.acknowledge' }), target, by },
    (act) => inbox.acknowledge(kinds, !reopen, act),
    (changed) => acknowledgeResult(!reopen, changed)
  )
}

function describeKind({ realm, type, path, rule, handler }: MismatchKind): string {
  return [realm, type, path, rule, handler].filter((part) => part !== '').join(' ')
}
