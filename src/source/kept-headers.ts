import type { KeptHeaders } from '../model/event.ts'
import type { Source, SourceRequest } from './source.ts'

/**
 * Returns the headers that the source names in `keep`, and the content type if it is not `application/json`: it
 * cannot be guessed later. Names are in lower case.
 */
export function keptHeaders({ keep = [] }: Pick<Source, 'keep'>, headers: SourceRequest['headers']): KeptHeaders {
  const kept: Record<string, string> = {}
  const type = Object.hasOwn(headers, 'content-type') ? headers['content-type'] : undefined
  const isJson = type === undefined || /^application\/json\s*(?:;|$)/i.test(String(type))
  for (const name of isJson ? keep : new Set([...keep, 'content-type'])) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (value !== undefined) kept[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return kept
}
