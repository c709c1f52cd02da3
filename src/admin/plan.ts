import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto'

import { RiverhookError, type Actor, type Inbox, type ReplayFilter } from '../index.ts'
import { packageVersion, reviveFilter } from '../programs.ts'

interface AnyPlan {
  readonly selection: ReplayFilter
  /** The position of the last event: those that arrive later are left out. */
  readonly upTo: number
  /** How many deliveries or events it is about. */
  readonly count: number
}

export interface PlannedReplay extends AnyPlan {
  readonly kind: 'replay'
  readonly includeDone?: boolean | undefined
  readonly limit?: number | undefined
  readonly ratePerSecond?: number | undefined
}

/** A removal or an erasure. */
interface PlannedAct<Kind extends string> extends AnyPlan {
  readonly kind: Kind
  /** A digest of the events and their states. */
  readonly digest: string
}

/** The work that an operator has seen the effect of. */
export type Plan = PlannedReplay | PlannedAct<'removal'> | PlannedAct<'erasure'>

/** The additions to a plan that is signed. */
interface Signed {
  /** Of this package: another version may not know all fields. */
  readonly version: string
  /** The name of the operator. */
  readonly by: string
  /** In milliseconds since the epoch. */
  readonly end: number
  readonly id: string
}

/** How long a plan can be carried out, in milliseconds. */
const longestPlan = 15 * 60_000
/** The most characters of a plan, so that it fits into the body that brings it back. */
const mostCharacters = 60_000

/**
 * Hands out plans, and takes them back. A plan is in its text alone, signed with the key of the inbox: so every replica
 * accepts it, from the operator who made it.
 */
export class Plans {
  readonly #inbox: Pick<Inbox, 'signingKey'>
  readonly #clock: () => number
  #key: Promise<Uint8Array> | undefined

  constructor(inbox: Pick<Inbox, 'signingKey'>, clock: () => number = Date.now) {
    this.#inbox = inbox
    this.#clock = clock
  }

  /** @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID for a plan that is too long to send back */
  async write(plan: Plan, { name }: Actor): Promise<{ readonly plan: string; readonly expiresAt: Date }> {
    const end = this.#clock() + longestPlan
    const signed: Plan & Signed = { ...plan, version: packageVersion(), by: name, end, id: randomUUID() }
    const content = Buffer.from(JSON.stringify(signed)).toString('base64url')
    const text = `${content}.${(await this.#sign(content)).toString('base64url')}`
    if (text.length > mostCharacters)
      throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', 'The ids of these events are too long: choose fewer events')
    return { plan: text, expiresAt: new Date(end) }
  }

  /**
   * Reads a plan of this operator.
   * @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID for a text that is none, or is of another operator or kind;
   * RIVERHOOK_ADMIN_PLAN_EXPIRED; RIVERHOOK_ADMIN_CONFLICT if another count is expected
   */
  async read<Kind extends Plan['kind']>(
    text: string,
    { kind, actor, expectedCount }: { readonly kind: Kind; readonly actor: Actor; readonly expectedCount: number }
  ): Promise<Extract<Plan, { readonly kind: Kind }> & { readonly id: string }> {
    const [content = '', signature = '', ...rest] = text.split('.')
    const right = await this.#sign(content)
    const given = Buffer.from(signature, 'base64url')
    if (rest.length > 0 || given.length !== right.length || !timingSafeEqual(given, right))
      throw new RiverhookError(
        'RIVERHOOK_ADMIN_INVALID',
        '"plan" is not the text that a dry run of this inbox returned'
      )
    const plan = JSON.parse(Buffer.from(content, 'base64url').toString()) as Plan & Signed
    if (!isOfKind(plan, kind)) throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', `This plan is for a ${plan.kind}`)
    if (plan.by !== actor.name)
      throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', 'The plan was made by another operator: plan again')
    if (plan.version !== packageVersion())
      throw new RiverhookError('RIVERHOOK_ADMIN_PLAN_EXPIRED', 'The plan was made by another version: plan again')
    if (plan.end <= this.#clock())
      throw new RiverhookError('RIVERHOOK_ADMIN_PLAN_EXPIRED', 'The plan is older than 15 minutes: plan again')
    if (plan.count !== expectedCount)
      throw new RiverhookError(
        'RIVERHOOK_ADMIN_CONFLICT',
        `The plan counts ${plan.count}, but "expectedCount" is ${expectedCount}: check the plan`
      )
    return { ...plan, selection: reviveFilter(plan.selection) }
  }

  async #sign(content: string): Promise<Buffer> {
    this.#key ??= this.#inbox.signingKey()
    try {
      return createHmac('sha256', await this.#key)
        .update(`plan ${content}`)
        .digest()
    } catch (error) {
      this.#key = undefined
      throw error
    }
  }
}

function isOfKind<Kind extends Plan['kind']>(
  plan: Plan & Signed,
  kind: Kind
): plan is Extract<Plan, { readonly kind: Kind }> & Signed {
  return plan.kind === kind
}

/** The most characters of the header `Idempotency-Key`. */
const longestKey = 256

/**
 * The idempotency key of a request: that of its header, for this operator alone. Without one, that of the plan, so that
 * a plan starts one job.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID
 */
export function idempotencyKeyOf(
  header: string | readonly string[] | undefined,
  { name }: Actor,
  plan: { readonly id: string }
): string {
  const isKey =
    header === undefined || (typeof header === 'string' && header.length >= 1 && header.length <= longestKey)
  if (!isKey)
    throw new RiverhookError(
      'RIVERHOOK_ADMIN_INVALID',
      `The header "Idempotency-Key" must have 1 to ${longestKey} characters`
    )
  const parts = header === undefined ? ['plan', plan.id] : ['header', name, header]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
