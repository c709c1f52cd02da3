import { mostSearchKeys } from '../model/search-keys.ts'
import type { Settings } from './setting.ts'

/** The settings of `search`. */
export const searchSettings = {
  keys: {
    rule: {
      expected: `a list of at most ${mostSearchKeys} paths such as data.object.metadata.cartId`,
      kind: 'list',
      accepts: (value) =>
        Array.isArray(value) && value.length <= mostSearchKeys && value.every((path) => isFieldPath(path))
    },
    env: 'RIVERHOOK_SEARCH_KEYS',
    also: ['paths', 'fields'],
    means:
      'Further ids by which [`events list --about`](commands.md#find-events) finds an event: their paths in it, comma-separated, such as `data.object.metadata.cartId`. The usual ids need no setting'
  }
} as const satisfies Settings

/** True for names of fields with dots between them. */
export function isFieldPath(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 200 && /^[^.\s]+(\.[^.\s]+)*$/.test(value)
}
