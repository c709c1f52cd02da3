import type { EventDetail } from '../inbox/inbox.ts'
import type { EventTrace } from '../interface.ts'
import { readTrace } from '../model/trace.ts'

/** Finds the trace of an event. See `Riverhook.traceOf`. @param template the option `trace.url` */
export function traceOf({ trace }: Pick<EventDetail, 'trace'>, template: string | undefined): EventTrace | undefined {
  const traceId = readTrace(trace)?.traceId
  return traceId === undefined ? undefined : { traceId, url: template?.replaceAll('{traceId}', traceId) }
}
