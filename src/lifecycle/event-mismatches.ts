import type { EventDetail } from '../inbox/inbox.ts'
import { loggedError } from '../model/error-text.ts'
import { hideValuesOf } from '../model/hidden-values.ts'
import type { Log } from '../model/log.ts'
import { eventKeys } from '../model/visible.ts'
import type { PayloadMode } from '../payload/checks.ts'
import type { PayloadMismatch } from '../payload/mismatches.ts'
import type { Sources } from './sources.ts'

/** The parts of a receiver that know the schemas of an event. */
export interface SchemaParts {
  readonly endpoints: readonly {
    readonly path: string
    readonly source: { readonly name: string }
    readonly validate: PayloadMode
  }[]
  readonly sources: Sources
  readonly log: Pick<Log, 'error'>
}

/** Compares the payload of a stored event with the schemas that the code has now. See `Riverhook.mismatches`. */
export function eventMismatches(
  { endpoints, sources, log }: SchemaParts,
  event: EventDetail
): readonly PayloadMismatch[] {
  const endpoint = endpoints.find(({ path, source }) => path === event.endpoint && source.name === event.source)
  const reading = event.state === 'accepted' && endpoint !== undefined ? sources.read(event) : undefined
  if (endpoint === undefined || reading?.ok !== true) return []
  const { handlers, payloads } = sources.get(event.source)
  try {
    return payloads.check(reading.event, handlers.for(event.type), endpoint.validate).mismatches
  } catch (error) {
    // Also refuses the requests of this type. The event must be shown nevertheless.
    log.error(
      { ...eventKeys(event.realm, event), err: loggedError(error, hideValuesOf(reading.event)) },
      'the payload of the event was not checked'
    )
    return []
  }
}
