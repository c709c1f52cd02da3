import { digitalRiver } from '../index.ts'

/**
 * The headers that make a body authentic, as Digital River sends them.
 * @param input.secret the signing secret; several during a rotation, when every one signs
 * @param input.at what time is signed; default now
 */
export function sign({ body, secret, at = new Date() }: { body: string | Uint8Array; secret: string | readonly string[]; at?: Date }): Record<string, string> {
  const bytes = Buffer.from(body)
  const each = (typeof secret === 'string' ? [secret] : secret).map((one) => Object.entries(digitalRiver().sign({ body: bytes, secret: one, at }))[0])
  const [name = '', first = ''] = each[0] ?? []
  // How several signatures are laid out is not known: the header holds "signatures", so further items of its comma-separated list.
  const further = each.slice(1).map((entry) => entry?.[1].split(', ')[1] ?? '')
  return { [name]: [first, ...further].join(', ') }
}
