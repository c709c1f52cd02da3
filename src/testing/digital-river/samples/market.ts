/** A place of sale: its prices and an address. */
export interface Market {
  readonly currency: string
  readonly symbol: string
  /** The number of decimals of its amounts. */
  readonly digits: number
  readonly locale: string
  readonly taxRate: number
  /** Of one piece, and of shipping, before tax. */
  readonly price: number
  readonly shipping: number
  readonly address: {
    readonly line1: string
    readonly city: string
    readonly postalCode: string
    readonly state: string
    readonly country: string
  }
}

export const markets: readonly [Market, ...Market[]] = [
  {
    currency: 'EUR',
    symbol: '€',
    digits: 2,
    locale: 'de_DE',
    taxRate: 0.19,
    price: 24.5,
    shipping: 4.9,
    address: { line1: 'Lindenweg 12', city: 'Berlin', postalCode: '10969', state: 'BE', country: 'DE' }
  },
  {
    currency: 'USD',
    symbol: '$',
    digits: 2,
    locale: 'en_US',
    taxRate: 0.07375,
    price: 27.95,
    shipping: 5,
    address: { line1: '500 Harbor Lane', city: 'Duluth', postalCode: '55802', state: 'MN', country: 'US' }
  },
  {
    currency: 'GBP',
    symbol: '£',
    digits: 2,
    locale: 'en_GB',
    taxRate: 0.2,
    price: 21,
    shipping: 3.5,
    address: { line1: '4 Mill Road', city: 'Cambridge', postalCode: 'CB1 2AB', state: 'CAM', country: 'GB' }
  },
  {
    currency: 'JPY',
    symbol: '¥',
    digits: 0,
    locale: 'ja_JP',
    taxRate: 0.1,
    price: 3800,
    shipping: 600,
    address: { line1: '2-7-3 Kitamachi', city: 'Sendai', postalCode: '980-0001', state: 'MIYAGI', country: 'JP' }
  }
]
