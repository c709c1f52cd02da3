import { fileURLToPath } from 'node:url'

import {
  eventsQuery,
  webhookChanges,
  webhookRequest,
  webhooksFilter
} from '../../../src/source/digital-river/api/models.ts'
import { resourceSchemas } from '../../../src/source/digital-river/resources/index.ts'
import { linesOf } from '../../schema-lines.ts'

/**
 * The file from which the program reads the schemas. TypeBox, in which they are written, would load 373 modules at
 * every start.
 */
export const schemasFile = fileURLToPath(new URL('../../../src/source/digital-river/schemas.json', import.meta.url))

/** The expected content. */
export function schemasText(): string {
  return linesOf({ ...resourceSchemas, webhookRequest, webhookChanges, webhooksFilter, eventsQuery })
}
