import { fileURLToPath } from 'node:url'

import {
  eventsQuery,
  webhookChanges,
  webhookRequest,
  webhooksFilter
} from '../../../src/source/digital-river/api/models.ts'
import { resourceSchemas } from '../../../src/source/digital-river/resources/index.ts'

/**
 * The file from which the program reads the schemas. TypeBox, in which they are written, would load 373 modules at
 * every start.
 */
export const schemasFile = fileURLToPath(new URL('../../../src/source/digital-river/schemas.json', import.meta.url))

/** The expected content: a line for each schema, so that a diff shows which one changed. */
export function schemasText(): string {
  const lines = Object.entries({ ...resourceSchemas, webhookRequest, webhookChanges, webhooksFilter, eventsQuery }).map(
    ([name, schema]) => `  ${JSON.stringify(name)}: ${JSON.stringify(schema)}`
  )
  return `{\n${lines.join(',\n')}\n}\n`
}
