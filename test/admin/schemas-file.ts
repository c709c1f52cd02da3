import { fileURLToPath } from 'node:url'

import * as schemas from '../../src/admin/schemas/index.ts'
import { linesOf } from '../schema-lines.ts'

/** The file from which the operator's API reads its schemas, without TypeBox. */
export const adminSchemasFile = fileURLToPath(new URL('../../src/admin/schemas.json', import.meta.url))

/** The expected content of the file. Each schema has its name as `$id`, by which others refer to it. */
export function adminSchemasText(): string {
  return linesOf(Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, { $id: name, ...schema }])))
}
