import { RiverhookError } from '../../model/errors.ts'
import { matches } from '../../model/pattern.ts'
import type { Interest } from '../registration/wanted-types.ts'
import { backfill, type BackfillReport, type BackfillRequest } from './backfill.ts'
import { backfillMark } from './watch.ts'

export interface SpanRequest extends Omit<BackfillRequest, 'now'> {
  /** Only events of this type, or of a pattern such as `order.*`. Default: the types of `interest`. */
  readonly type?: string | undefined
}

/**
 * Backfills a span of time that a person asked for. If the span reaches back to the watermark of the periodic backfill,
 * the watermark advances with it, so that nothing is read twice.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an empty span; otherwise as `backfill`
 */
export async function backfillSpan({ type, interest, ...request }: SpanRequest): Promise<BackfillReport> {
  const { inbox, realm, endpoint, since, until, dryRun, onProgress } = request
  if (since >= until) throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'backfill() "since" must be before "until"')
  const now = await inbox.now()
  const mark = backfillMark(endpoint)
  const readTo = await inbox.watermark(realm, mark)
  const isWhole = type === undefined && dryRun !== true && readTo !== undefined && since <= readTo && readTo <= now
  return backfill({
    ...request,
    now,
    interest: type === undefined ? interest : interestIn(type),
    onProgress: async (report) => {
      if (isWhole) await inbox.advance(realm, mark, report.until)
      await onProgress?.(report)
    }
  })
}

function interestIn(pattern: string): Interest {
  return { all: [{ pattern }], for: (type) => (matches(pattern, type) ? [pattern] : []) }
}
