import type { Dice } from '../../dice.ts'
import { type Market, markets } from './market.ts'
import { createSums, type Sums } from './sums.ts'

/** The buyer, the products, the place and the prices: all fields of one event must agree on these. */
export interface Scene {
  readonly dice: Dice
  readonly type: string
  readonly liveMode: boolean
  readonly at: Date
  readonly market: Market
  readonly buyer: { readonly firstName: string; readonly lastName: string }
  readonly ids: Readonly<
    Record<
      | 'order'
      | 'customer'
      | 'sku'
      | 'item'
      | 'plan'
      | 'subscription'
      | 'billingAgreement'
      | 'paymentSession'
      | 'charge'
      | 'invoice'
      | 'refund',
      string
    >
  >
  readonly quantity: number
  readonly sums: Sums
  /**
   * The state of the payment at the time of the event. Collecting: a capture was requested, and the bank has not
   * answered.
   */
  readonly payment: 'open' | 'authorised' | 'collecting' | 'captured' | 'cancelled' | 'refunded' | 'failed'
  /** The payment method of the event, named by the charge and in the list of methods. */
  readonly method: 'creditCard' | 'payPal' | 'wireTransfer'
  readonly sourceId: string
}

export function createScene(dice: Dice, type: string, at: Date, liveMode: boolean): Scene {
  const market = dice.pick(markets)
  const quantity = dice.whole(1, 3)
  return {
    dice,
    type,
    liveMode,
    at,
    market,
    buyer: {
      firstName: dice.pick(['Ada', 'Jonas', 'Mira', 'Noor', 'Tomas']),
      lastName: dice.pick(['Berg', 'Fields', 'Okafor', 'Sato', 'Winter'])
    },
    ids: {
      order: dice.digits(12),
      customer: dice.digits(12),
      sku: dice.uuid(),
      item: dice.digits(12),
      plan: dice.uuid(),
      subscription: dice.uuid(),
      billingAgreement: dice.uuid(),
      paymentSession: dice.uuid(),
      charge: dice.uuid(),
      invoice: dice.uuid(),
      refund: `re_${dice.uuid()}`
    },
    quantity,
    // The product of a subscription is not shipped.
    sums: createSums(market, quantity, !/^(?:invoice|subscription)\./.test(type)),
    payment: paymentOf(type),
    method: dice.pick(['creditCard', 'payPal', 'wireTransfer']),
    sourceId: dice.uuid()
  }
}

/** The first match counts; without a match it is authorised. */
const payments: readonly (readonly [RegExp, Scene['payment']])[] = [
  [/^order\.refunded$/, 'refunded'],
  [/^(?:order|order\.charge|charge)\.cancelled$/, 'cancelled'],
  [/payment_failed$|^order\.charge\.failed$|^invoice\.uncollectible$/, 'failed'],
  // The samples of these: the order is fulfilled, the subscription extended, money given back, and the capture
  // pending still.
  [/^order\.fulfilled$|^order\.charge\.refund\.(?!failed)|^invoice\.paid$|^subscription\.extended$/, 'collecting'],
  [/^order\.(?:complete|dispute)|^order\.charge\.(?:refund\.|complete)|^(?:refund|return)\./, 'captured'],
  [/^(?:checkout|invoice)\.|^order\.(?:pending_payment|blocked)$|^subscription\.reminder$/, 'open']
]

function paymentOf(type: string): Scene['payment'] {
  return payments.find(([types]) => types.test(type))?.[1] ?? 'authorised'
}

/** A time some minutes before the event, in whole seconds as in most payloads. */
export function before({ at }: Scene, minutes: number): string {
  return new Date(at.getTime() - minutes * 60_000).toISOString().replace(/\.\d+Z$/, 'Z')
}
