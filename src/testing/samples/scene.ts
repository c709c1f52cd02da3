import type { Dice } from './dice.ts'
import { createSums, type Sums } from './sums.ts'

/** Who buys what, where, and what it costs: what all fields of one event must agree on. */
export interface Scene {
  readonly dice: Dice
  readonly type: string
  readonly liveMode: boolean
  readonly at: Date
  readonly market: Market
  readonly buyer: { readonly firstName: string; readonly lastName: string }
  readonly ids: Readonly<Record<'order' | 'customer' | 'sku' | 'item' | 'plan' | 'subscription' | 'billingAgreement' | 'paymentSession', string>>
  readonly quantity: number
  readonly sums: Sums
  /** How far the payment has come by the time of the event. */
  readonly payment: 'open' | 'authorised' | 'captured' | 'cancelled' | 'refunded' | 'failed'
  /** The one payment method of the event, of which both the charge and the list of methods speak. */
  readonly method: 'creditCard' | 'payPal' | 'wireTransfer'
  readonly sourceId: string
}

export interface Market {
  readonly currency: string
  /** How many digits its amounts have after the point. */
  readonly digits: number
  readonly locale: string
  readonly taxRate: number
  /** Of one piece, and of shipping, before tax. */
  readonly price: number
  readonly shipping: number
  readonly address: { readonly line1: string; readonly city: string; readonly postalCode: string; readonly state: string; readonly country: string }
}

const markets: readonly [Market, ...Market[]] = [
  {
    currency: 'EUR', digits: 2, locale: 'de_DE', taxRate: 0.19, price: 24.5, shipping: 4.9,
    address: { line1: 'Lindenweg 12', city: 'Berlin', postalCode: '10969', state: 'BE', country: 'DE' }
  },
  {
    currency: 'USD', digits: 2, locale: 'en_US', taxRate: 0.07375, price: 27.95, shipping: 5,
    address: { line1: '500 Harbor Lane', city: 'Duluth', postalCode: '55802', state: 'MN', country: 'US' }
  },
  {
    currency: 'GBP', digits: 2, locale: 'en_GB', taxRate: 0.2, price: 21, shipping: 3.5,
    address: { line1: '4 Mill Road', city: 'Cambridge', postalCode: 'CB1 2AB', state: 'CAM', country: 'GB' }
  },
  {
    currency: 'JPY', digits: 0, locale: 'ja_JP', taxRate: 0.1, price: 3800, shipping: 600,
    address: { line1: '2-7-3 Kitamachi', city: 'Sendai', postalCode: '980-0001', state: 'MIYAGI', country: 'JP' }
  }
]

export function createScene(dice: Dice, type: string, at: Date, liveMode: boolean): Scene {
  const market = dice.pick(markets)
  const quantity = dice.whole(1, 3)
  return {
    dice,
    type,
    liveMode,
    at,
    market,
    buyer: { firstName: dice.pick(['Ada', 'Jonas', 'Mira', 'Noor', 'Tomas']), lastName: dice.pick(['Berg', 'Fields', 'Okafor', 'Sato', 'Winter']) },
    ids: {
      order: dice.digits(12), customer: dice.digits(12), sku: dice.uuid(), item: dice.digits(12), plan: dice.uuid(), subscription: dice.uuid(),
      billingAgreement: dice.uuid(), paymentSession: dice.uuid()
    },
    quantity,
    // What a subscription is for is not shipped.
    sums: createSums(market, quantity, !/^(?:invoice|subscription)\./.test(type)),
    payment: paymentOf(type),
    method: dice.pick(['creditCard', 'payPal', 'wireTransfer']),
    sourceId: dice.uuid()
  }
}

/** Tried from the top; what no line fits is authorised. */
const payments: readonly (readonly [RegExp, Scene['payment']])[] = [
  [/^(?:order\.refunded|order\.charge\.refund\.completed?)$/, 'refunded'],
  [/^(?:order\.cancelled|order\.charge\.cancelled|order\.charge\.cancel\.complete)$/, 'cancelled'],
  [/payment_failed$|^order\.charge\.failed$|^invoice\.uncollectible$/, 'failed'],
  [/^order\.(?:complete|fulfilled|chargeback|dispute)|^order\.charge\.(?:refund\.|capture\.complete|complete)/, 'captured'],
  [/^(?:refund|return)\.|^invoice\.paid$|^subscription\.extended$/, 'captured'],
  [/^(?:checkout|invoice)\.|^order\.(?:pending_payment|blocked)$|^subscription\.reminder$/, 'open']
]

function paymentOf(type: string): Scene['payment'] {
  return payments.find(([types]) => types.test(type))?.[1] ?? 'authorised'
}

/** An instant some minutes before the event, in whole seconds as in most payloads. */
export function before({ at }: Scene, minutes: number): string {
  return new Date(at.getTime() - minutes * 60_000).toISOString().replace(/\.\d+Z$/, 'Z')
}
