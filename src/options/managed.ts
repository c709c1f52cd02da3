import { RiverhookError } from '../model/errors.ts'
import { apiSettings } from './server-settings.ts'

type Values = Readonly<Record<string, unknown>>

/** Where a setting that stands alone in the environment belongs in the plugin's options. */
export const places = {
  registerAddress: ['register', 'address'],
  registerMode: ['register', 'mode'],
  registerTypes: ['register', 'types'],
  registerRepair: ['register', 'repair'],
  registerEvery: ['register', 'every'],
  backfillEvery: ['backfill', 'every'],
  backfillOverlap: ['backfill', 'overlap']
} as const
/** The setting that switches a part on. */
const switches = { register: 'registerAddress', backfill: 'backfillEvery' } as const

/**
 * Puts the settings of `register` and `backfill` into the objects that they are in code.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a setting of a part that is not switched on: it would have
 * no effect
 */
export function nestManaged(values: Values): Values {
  const parts: { register: Record<string, unknown>; backfill: Record<string, unknown> } = { register: {}, backfill: {} }
  const rest: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    if (!isPlaced(name)) {
      rest[name] = value
      continue
    }
    const [part, field] = places[name]
    const needed = switches[part]
    if (values[needed] === undefined) {
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        `${apiSettings[name].env} has no effect without ${apiSettings[needed].env}`
      )
    }
    parts[part][field] =
      name === 'registerTypes'
        ? String(value)
            .split(',')
            .map((type) => type.trim())
        : value
  }
  return { ...rest, ...Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0)) }
}

function isPlaced(name: string): name is keyof typeof places {
  return name in places
}
