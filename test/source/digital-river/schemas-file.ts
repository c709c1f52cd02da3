import { fileURLToPath } from 'node:url'

import {
  eventsQuery,
  webhookChanges,
  webhookRequest,
  webhooksFilter
} from '../../../src/source/digital-river/api/models.ts'
import { resourceSchemas } from '../../../src/source/digital-river/resources/index.ts'

/**
 * Where the schemas stand that the program reads: TypeBox, which they are written in, would load 373 modules at every
 * start.
 */
export const schemasFile = fileURLToPath(new URL('../../../src/source/digital-river/schemas.json', import.meta.url))

/** What belongs there: a line for each schema, so that a diff shows which one changed. */
export function schemasText(): string {
  const lines = Object.entries({ ...resourceSchemas, webhookRequest, webhookChanges, webhooksFilter, eventsQuery }).map(
    ([name, schema]) => `  ${JSON.stringify(name)}: ${JSON.stringify(schema)}`
  )
  return `{\n${lines.join(',\n')}\n}\n`
}
