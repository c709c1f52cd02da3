import type { NewRegistration, Registration } from '../../source/source.ts'

/** The webhook that should be registered. Fields that are missing are not compared and stay as they are. */
export interface WantedRegistration extends NewRegistration {
  readonly enabled: boolean
}

/** The wanted webhook, and the patterns of handlers that match no known event type. */
export interface Wanted {
  readonly registration: WantedRegistration
  readonly unknown: readonly string[]
}

/** One difference: `+` to add, `-` to remove, `~` to change. */
export interface PlanLine {
  readonly sign: '+' | '-' | '~'
  readonly field: string
  /** Never holds a password or a secret. */
  readonly text: string
}

export interface Plan {
  readonly address: string
  /** Undefined: nothing is registered at this address. */
  readonly found: Registration | undefined
  /** Empty: nothing to do. */
  readonly lines: readonly PlanLine[]
  /** The fields to send: all for a new webhook, otherwise only those that differ. Holds secrets. */
  readonly changes: Partial<NewRegistration>
  /** Other webhooks at the same address, oldest first. They are never touched. */
  readonly twins: readonly Registration[]
  /** Patterns of handlers that cover no known event type. */
  readonly unknown: readonly string[]
}

/** Compares the wanted webhook with those of the account that have the same address. Pure. */
export function makePlan({ registration: wanted, unknown }: Wanted, webhooks: readonly Registration[]): Plan {
  const [found, ...twins] = webhooks.filter(({ address }) => isSameAddress(address, wanted.address)).sort(byAge)
  const { address } = wanted
  if (found === undefined) return { address, found, twins, unknown, lines: linesOfNew(wanted), changes: wanted }
  const differences = [
    ...typesDiffer(wanted.types, found.types),
    ...valueDiffers('enabled', wanted.enabled, found.enabled),
    ...valueDiffers('apiVersion', wanted.apiVersion, found.apiVersion),
    ...valueDiffers('transportType', wanted.transportType, found.transportType ?? 'HTTP'),
    ...partsDiffer('authentication', wanted.authentication, found.authentication),
    ...partsDiffer('oauth', wanted.oauth, found.oauth)
  ]
  const fields = new Set(differences.map(({ field }) => field.split('.')[0]))
  const changes = Object.fromEntries(Object.entries(wanted).filter(([field]) => fields.has(field)))
  return { address, found, twins, unknown, lines: differences, changes }
}

/**
 * The plan as lines for a person, like a diff: `+ types order.refunded`, `~ enabled false -> true`, `= nothing to do`.
 */
export function describePlan({ address, found, lines, twins, unknown }: Plan): string[] {
  return [
    found === undefined ? `+ webhook ${address}` : `  webhook ${found.id} ${address}`,
    ...lines.map(({ sign, field, text }) => `${sign} ${field} ${text}`),
    ...(lines.length === 0 ? ['= nothing to do'] : []),
    ...unknown.map(
      (pattern) =>
        `! handler ${pattern}: matches no known event type, so nothing is requested for it. Correct the spelling, or name a new type with --type or register.types`
    ),
    ...twins.map(
      ({ id }) =>
        `! webhook ${id} has the same address: every event is sent twice, signed with two different secrets; delete one of the webhooks`
    )
  ]
}

/** Prefer the oldest webhook: its secret is most likely the configured one. Ids break a tie, so that replicas agree. */
export function byAge(one: Registration, other: Registration): number {
  const [first, second] = [Date.parse(one.createdTime ?? ''), Date.parse(other.createdTime ?? '')]
  if (first !== second && !Number.isNaN(first) && !Number.isNaN(second)) return first - second
  return one.id < other.id ? -1 : 1
}

/** Whether two addresses are the same: `HTTPS://Shop.example:443/x` is `https://shop.example/x`. */
export function isSameAddress(one: string, other: string): boolean {
  return normal(one) === normal(other)
}

function normal(address: string): string {
  return URL.canParse(address) ? new URL(address).href : address
}

function linesOfNew(wanted: WantedRegistration): PlanLine[] {
  const { types, enabled, apiVersion, transportType, authentication, oauth } = wanted
  return [
    ...types.map((type) => ({ sign: '+', field: 'types', text: type }) as const),
    ...Object.entries({ enabled, apiVersion, transportType })
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => ({ sign: '+', field, text: String(value) }) as const),
    ...partsDiffer('authentication', authentication, undefined),
    ...partsDiffer('oauth', oauth, undefined)
  ]
}

function typesDiffer(wanted: readonly string[], found: readonly string[]): PlanLine[] {
  return [
    ...wanted
      .filter((type) => !found.includes(type))
      .map((type) => ({ sign: '+', field: 'types', text: type }) as const),
    ...found
      .filter((type) => !wanted.includes(type))
      .map((type) => ({ sign: '-', field: 'types', text: `${type} (no handler for it)` }) as const)
  ]
}

function valueDiffers(
  field: string,
  wanted: string | boolean | undefined,
  found: string | boolean | undefined
): PlanLine[] {
  if (wanted === undefined || wanted === found) return []
  return [{ sign: '~', field, text: `${String(found ?? 'unset')} -> ${String(wanted)}` }]
}

const secretParts = ['password', 'clientSecret']

/** A part that the provider does not show cannot be compared. It is assumed to be right. */
function partsDiffer(field: string, wanted: object | undefined, found: object | undefined): PlanLine[] {
  const before = new Map<string, string | undefined>(Object.entries(found ?? {}))
  return Object.entries((wanted ?? {}) as Readonly<Record<string, string | undefined>>).flatMap(
    ([part, value]): PlanLine[] => {
      const name = `${field}.${part}`
      const old = before.get(part)
      const isSecret = secretParts.includes(part)
      const isHidden = isSecret && found !== undefined && (old ?? '') === ''
      if (value === undefined || old === value || isHidden) return []
      if (isSecret) return [{ sign: old === undefined ? '+' : '~', field: name, text: '(not shown)' }]
      return [
        old === undefined
          ? { sign: '+', field: name, text: value }
          : { sign: '~', field: name, text: `${old} -> ${value}` }
      ]
    }
  )
}
