import type { NewRegistration, Registration } from '../../source/source.ts'

/** What is to be registered with the provider. What is left out is not compared and left as it is. */
export interface WantedRegistration extends NewRegistration {
  readonly enabled: boolean
}

/** What is wanted, and the patterns of handlers that could not be turned into event types. */
export interface Wanted {
  readonly registration: WantedRegistration
  readonly unknown: readonly string[]
}

/** One difference: `+` is to be added, `-` to be taken away, `~` to be changed. */
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
  /** What is to be sent: everything where nothing was found, else only what differs. Holds secrets. */
  readonly changes: Partial<NewRegistration>
  /** Other webhooks at the same address, oldest first. They are never touched. */
  readonly twins: readonly Registration[]
  /** Patterns of handlers that cover no known event type. */
  readonly unknown: readonly string[]
}

/** Compares what is wanted with the webhooks of the account, of which only those at the same address count. Pure. */
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
        `! handler ${pattern}: no event type of that name is known, so none is asked for (a spelling mistake, or name it with --type or register.types)`
    ),
    ...twins.map(
      ({ id }) =>
        `! webhook ${id} has the same address: every event is sent twice, each with a secret of its own; delete one`
    )
  ]
}

/**
 * The oldest is the one: its secret is the one that is configured, most likely. Ids break a tie, so that all replicas
 * agree.
 */
export function byAge(one: Registration, other: Registration): number {
  const [first, second] = [Date.parse(one.createdTime ?? ''), Date.parse(other.createdTime ?? '')]
  if (first !== second && !Number.isNaN(first) && !Number.isNaN(second)) return first - second
  return one.id < other.id ? -1 : 1
}

/** Whether two addresses are one: `HTTPS://Shop.example:443/x` is `https://shop.example/x`. */
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
      .map((type) => ({ sign: '-', field: 'types', text: `${type} (no handler takes it)` }) as const)
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

/** A part that the provider does not show cannot be compared, and is taken to be right. */
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
