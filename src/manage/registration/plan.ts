import type { NewRegistration, Registration } from '../../source/source.ts'

/** Fields of a webhook beside those of the contract: the provider's own. */
type OwnFields = Readonly<Record<string, unknown>>

/** The webhook that should be registered. Fields that are missing are not compared and stay as they are. */
export type WantedRegistration = NewRegistration & { readonly enabled: boolean } & OwnFields

/** The wanted webhook, and the patterns of handlers that match no known event type. */
export interface Wanted {
  readonly registration: WantedRegistration
  readonly unknown: readonly string[]
  /** The values of fields that the provider leaves out. */
  readonly defaults?: OwnFields | undefined
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
export function makePlan({ registration: wanted, unknown, defaults }: Wanted, webhooks: readonly Registration[]): Plan {
  const [found, ...twins] = webhooks.filter(({ address }) => isSameAddress(address, wanted.address)).sort(byAge)
  const { address } = wanted
  if (found === undefined) return { address, found, twins, unknown, lines: linesOfNew(wanted), changes: wanted }
  const differences = [
    ...typesDiffer(wanted.types, found.types),
    ...valueDiffers('enabled', wanted.enabled, found.enabled),
    ...ownFieldsDiffer(wanted, { ...defaults, ...withoutUndefined(found) })
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
  return [
    ...wanted.types.map((type) => ({ sign: '+', field: 'types', text: type }) as const),
    { sign: '+', field: 'enabled', text: String(wanted.enabled) },
    ...ownFieldsDiffer(wanted, undefined)
  ]
}

const contractFields = ['address', 'types', 'enabled']

/** @param found undefined: there is no webhook yet */
function ownFieldsDiffer(wanted: OwnFields, found: OwnFields | undefined): PlanLine[] {
  return Object.entries(wanted).flatMap(([field, value]): PlanLine[] => {
    if (contractFields.includes(field) || value === undefined) return []
    const before = found?.[field]
    if (typeof value === 'object' && value !== null)
      return partsDiffer(field, value, typeof before === 'object' && before !== null ? before : undefined)
    if (found === undefined) return [{ sign: '+', field, text: shownValue(field, value) }]
    return valueDiffers(field, value, before)
  })
}

function withoutUndefined(fields: object): OwnFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
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

function valueDiffers(field: string, wanted: unknown, found: unknown): PlanLine[] {
  if (wanted === undefined || wanted === found) return []
  if (isSecret(field)) return isHidden(found) ? [] : [{ sign: '~', field, text: notShown }]
  return [{ sign: '~', field, text: `${found === undefined ? 'unset' : plain(found)} -> ${plain(wanted)}` }]
}

const notShown = '(not shown)'

/** `password`, `clientSecret`, `secret`: the value of such a field never reaches a plan. */
function isSecret(field: string): boolean {
  return /password|secret/i.test(field)
}

/** Providers leave a secret empty, or show asterisks. It cannot be compared, and is assumed to be right. */
function isHidden(found: unknown): boolean {
  return found === '' || (typeof found === 'string' && /^\*+$/.test(found))
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function shownValue(field: string, value: unknown): string {
  return isSecret(field) ? notShown : plain(value)
}

/** A part that the provider does not show cannot be compared. It is assumed to be right. */
function partsDiffer(field: string, wanted: object | undefined, found: object | undefined): PlanLine[] {
  const before = new Map<string, string | undefined>(Object.entries(found ?? {}))
  return Object.entries((wanted ?? {}) as Readonly<Record<string, string | undefined>>).flatMap(
    ([part, value]): PlanLine[] => {
      const name = `${field}.${part}`
      const old = before.get(part)
      const isUnknown = isSecret(part) && found !== undefined && isHidden(old ?? '')
      if (value === undefined || old === value || isUnknown) return []
      if (isSecret(part)) return [{ sign: old === undefined ? '+' : '~', field: name, text: notShown }]
      return [
        old === undefined
          ? { sign: '+', field: name, text: value }
          : { sign: '~', field: name, text: `${old} -> ${value}` }
      ]
    }
  )
}
