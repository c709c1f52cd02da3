/**
 * The names of the default source in settings and their texts, as plain texts, so that the settings can be read without
 * loading its code. The source itself is in `default-source.ts`.
 */
export const providerName = 'Digital River'
export const sourceName = 'digital-river'
export const defaultPath = '/webhooks/digital-river'

/** The path of an endpoint that names none: of the default source, `defaultPath`. */
export function defaultPathOf({ name }: { readonly name: string }): string {
  return `/webhooks/${name.replaceAll(/[^\w.~-]+/g, '-')}`
}

export const apiVariables = {
  key: 'DIGITAL_RIVER_API_KEY',
  url: 'DIGITAL_RIVER_API_URL',
  allowHttp: 'DIGITAL_RIVER_ALLOW_HTTP'
} as const
export const apiAddress = 'https://api.digitalriver.com'
