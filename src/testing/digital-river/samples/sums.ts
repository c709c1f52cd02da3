import type { Market } from './market.ts'

/**
 * The amounts of one purchase, in major units. They add up as in the provider's samples: the subtotal includes
 * shipping.
 */
export interface Sums {
  readonly items: number
  readonly itemsTax: number
  readonly itemsTotal: number
  readonly shipping: number
  readonly shippingTax: number
  readonly subtotal: number
  readonly tax: number
  readonly total: number
  /** Where not all of it is moved. */
  readonly half: number
  /** The share of a seller of record, and the rest of the items' price. */
  readonly share: number
  readonly payout: number
  /** A regulatory fee of one piece. */
  readonly fee: number
}

export function createSums({ price, taxRate, digits, ...market }: Market, quantity: number, isShipped: boolean): Sums {
  const rounded = (amount: number): number => Number(amount.toFixed(digits))
  const items = rounded(price * quantity)
  const itemsTax = rounded(items * taxRate)
  const shipping = isShipped ? market.shipping : 0
  const shippingTax = rounded(shipping * taxRate)
  const subtotal = rounded(items + shipping)
  const tax = rounded(itemsTax + shippingTax)
  const share = rounded(items * 0.05)
  const total = rounded(subtotal + tax)
  return {
    items,
    itemsTax,
    itemsTotal: rounded(items + itemsTax),
    shipping,
    shippingTax,
    subtotal,
    tax,
    total,
    half: rounded(total / 2),
    share,
    payout: rounded(items - share),
    fee: rounded(price / 50)
  }
}
