import { BlockList, isIP } from 'node:net'

/** A range of addresses, or one address. */
export interface AddressRange {
  readonly address: string
  /** The number of leading bits that are the same in all of them. */
  readonly bits: number
  readonly family: 'ipv4' | 'ipv6'
}

/** Reads an address, or a range such as `10.0.0.0/8` or `2001:db8::/32`. Undefined if it is neither. */
export function readRange(text: string): AddressRange | undefined {
  const [address = '', given, ...rest] = text.split('/')
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  const bits = given === undefined ? most : /^\d{1,3}$/.test(given) ? Number(given) : NaN
  if (version === 0 || address.includes('%') || rest.length > 0 || !(bits >= 0 && bits <= most)) return undefined
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** Addresses by their ranges. */
export class AddressList {
  readonly #list = new BlockList()

  /** @throws {TypeError} for a text that `readRange` does not read */
  constructor(ranges: readonly string[]) {
    for (const each of ranges) {
      const range = readRange(each)
      if (range === undefined) throw new TypeError('each must be an address or a range')
      this.#list.addSubnet(range.address, range.bits, range.family)
    }
  }

  /** True if one of the ranges has the address. An IPv4 address is the same in IPv6 notation (`::ffff:10.0.0.1`). */
  has(address: string): boolean {
    const version = isIP(address)
    if (version === 0) return false
    if (version === 4) return this.#list.check(address, 'ipv4') || this.#list.check(`::ffff:${address}`, 'ipv6')
    // The part after % is the network interface.
    return this.#list.check(address.replace(/%.*$/, ''), 'ipv6')
  }
}
