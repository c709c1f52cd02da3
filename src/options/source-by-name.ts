import { RiverhookError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest.ts'
import type { Source } from '../source/source.ts'
import type { Environment } from './variables.ts'

/**
 * The sources that `RIVERHOOK_SOURCE` and `--source` can name: one line each, with the name of the function in
 * `riverhook/sources`. A source is loaded when it is asked for, so a start loads no other one.
 */
const sources: Readonly<Record<string, () => Promise<Source>>> = {
  digitalRiver: async () => (await import('./default-source.ts')).defaultSource(),
  adyen: async () => (await import('../source/adyen.ts')).adyen(),
  stripe: async () => (await import('../source/stripe.ts')).stripe(),
  github: async () => (await import('../source/github.ts')).github(),
  shopify: async () => (await import('../source/shopify.ts')).shopify(),
  standardWebhooks: async () => (await import('../source/standard-webhooks.ts')).standardWebhooks(),
  svix: async () => (await import('../source/standard-webhooks.ts')).standardWebhooks({ prefix: 'svix' }),
  meta: async () => (await import('../source/meta.ts')).meta(),
  fastSpring: async () => (await import('../source/fast-spring.ts')).fastSpring(),
  slack: async () => (await import('../source/slack.ts')).slack(),
  paddle: async () => (await import('../source/paddle.ts')).paddle(),
  payPal: async () => (await import('../source/pay-pal.ts')).payPal(),
  zoom: async () => (await import('../source/zoom.ts')).zoom(),
  cloudEvents: async () => (await import('../source/cloud-events.ts')).cloudEvents(),
  sendGrid: async () => (await import('../source/send-grid.ts')).sendGrid(),
  sns: async () => (await import('../source/sns.ts')).sns()
}

/** The names, as they are shown. Upper and lower case, and hyphens, make no difference. */
export const sourceNames: readonly string[] = Object.keys(sources)

/** Returns the source of a name, or undefined if no source has it. */
export async function loadSource(name: string): Promise<Source | undefined> {
  const found = sourceNames.find((known) => isSame(known, name))
  return found === undefined ? undefined : sources[found]?.()
}

/**
 * Returns the source that `RIVERHOOK_SOURCE` names, or undefined if it is not set.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID with the names that can be given
 */
export async function loadSourceOf({ RIVERHOOK_SOURCE: name }: Environment): Promise<Source | undefined> {
  if (name === undefined) return undefined
  const source = await loadSource(name)
  if (source !== undefined) return source
  throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `RIVERHOOK_SOURCE ${unknownSource(name)}`)
}

/** The end of a sentence about a name that no source has. @param more further names that can be given */
export function unknownSource(name: string, more: readonly string[] = []): string {
  const known = [...new Set([...more, ...sourceNames])]
  return (
    `must be one of ${known.join(', ')}${didYouMean(name, known, { otherwise: '.' })} ` +
    'A source of your own, or one with options, goes into riverhook.config.ts'
  )
}

/** Whether a source has this name. */
export function isSourceNamed(source: Pick<Source, 'name'>, name: string): boolean {
  return isSame(source.name, name)
}

function isSame(one: string, other: string): boolean {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '')
  return plain(one) === plain(other)
}
