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
  // Google Cloud.
  ['fd20:ce::254', 128],
  // Notations of 169.254.0.0/16 that translators lead there: NAT64, 6to4, and the old IPv4-compatible one.
  ['64:ff9b::a9fe:0', 112],
  ['2002:a9fe::', 32],
  ['::a9fe:0', 112]
] as const
for (const [network, bits] of v4) refused.addSubnet(network, bits, 'ipv4')
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
