import type { KeptHeaders } from '../model/event.ts'
import type { Source, SourceRequest } from './source.ts'

/** Returns the headers that the source names in `keep`. Names are in lower case. */
export function keptHeaders({ keep = [] }: Pick<Source, 'keep'>, headers: SourceRequest['headers']): KeptHeaders {
  const kept: Record<string, string> = {}
  for (const name of keep) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (value !== undefined) kept[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return kept
}
