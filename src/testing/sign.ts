import { digitalRiver } from '../index.ts'
import { optionRules } from '../programs.ts'

const { checkAgainst, isDate } = optionRules
const rules = {
  body: {
    expected: 'a text or bytes',
    accepts: (value: unknown) => typeof value === 'string' || value instanceof Uint8Array
  },
  secret: {
    expected: 'a text that is not empty, or a list of such texts',
    accepts: (value: unknown) =>
      [value].flat().length > 0 && [value].flat().every((one) => typeof one === 'string' && one !== '')
  },
  at: isDate
}

/**
 * The headers that make a body authentic, as the default source sends them.
 * @param input.secret the signing secret; several during a rotation, when every one signs
 * @param input.at what time is signed; default now
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the field
 */
export function sign(input: {
  body: string | Uint8Array
  secret: string | readonly string[]
  at?: Date
}): Record<string, string> {
  checkAgainst(rules, input, 'sign', '', ['body', 'secret'])
  const { body, secret, at = new Date() } = input
  const bytes = Buffer.from(body)
  const each = (typeof secret === 'string' ? [secret] : secret).map(
    (one) => Object.entries(digitalRiver().sign({ body: bytes, secret: one, at }))[0]
  )
  const [name = '', first = ''] = each[0] ?? []
  // How several signatures are laid out is not known: the header holds "signatures", so further items of its
  // comma-separated list.
  const further = each.slice(1).map((entry) => entry?.[1].split(', ')[1] ?? '')
  return { [name]: [first, ...further].join(', ') }
}
