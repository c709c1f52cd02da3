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
      'Paths of ids in your events by which [`events list --about`](commands.md#find-events) finds them, comma-separated, such as `data.object.metadata.cartId`; the source finds the usual ids without it'
  }
} as const satisfies Settings

/** True for names of fields with dots between them. */
export function isFieldPath(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 200 && /^[^.\s]+(\.[^.\s]+)*$/.test(value)
}
