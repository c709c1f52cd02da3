import { BlockList, isIP } from 'node:net'

/**
 * Addresses that no service of a merchant has: the link-local ones, and those under which clouds hand out credentials.
 */
const refused = new BlockList()
const v4 = [
  // Link-local, with the metadata service of AWS, Azure, Google Cloud and others (169.254.169.254).
  ['169.254.0.0', 16],
  // The metadata services of Alibaba Cloud and Oracle Cloud, and Azure's own for virtual machines.
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
  ['168.63.129.16', 32]
] as const
const v6 = [
  ['fe80::', 10],
  // AWS: metadata (::254) and the credentials of pods (::23).
  ['fd00:ec2::', 32],
  // The metadata services of Google Cloud, Oracle Cloud, Scaleway, Linode and Alibaba Cloud.
  ['fd20:ce::254', 128],
  ['fd00:c1::a9fe:a9fe', 128],
  ['fd00:42::42', 128],
  ['fd00:a9fe:a9fe::1', 128],
  ['fd00:100::100:200', 128]
] as const
/** The notations of IPv4 addresses that translators lead there: IPv4-compatible, SIIT, NAT64, and local NAT64. */
const carriers = ['::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'] as const
for (const [network, bits] of v4) {
  refused.addSubnet(network, bits, 'ipv4')
  const groups = Buffer.from(network.split('.').map(Number)).toString('hex').replace(/^.{4}/, '$&:')
  for (const carrier of carriers) refused.addSubnet(`${carrier}${groups}`, 96 + bits, 'ipv6')
  // 6to4
  refused.addSubnet(`2002:${groups}::`, 16 + bits, 'ipv6')
}
for (const [network, bits] of v6) refused.addSubnet(network, bits, 'ipv6')

/**
 * True for a link-local or metadata address, also in IPv6 notation (`::ffff:169.254.169.254`). False for a name.
 * @param host an address, with or without brackets
 */
export function isRefusedAddress(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  // The part after % is the network interface.
  return family !== 0 && refused.check(address.replace(/%.*$/, ''), family === 4 ? 'ipv4' : 'ipv6')
}
