import { readOwnJson } from '../../model/own-place.ts'
import type { Resources } from './resources/index.ts'

/** The schemas of the resources, and of what is sent to the API. */
type Schemas = Readonly<
  Record<keyof Resources | 'eventsQuery' | 'webhooksFilter' | 'webhookRequest' | 'webhookChanges', object>
>

let schemas: Schemas | undefined

/** Reads the schemas that `npm run schemas` writes, on first use: they are 700 kB. */
export function readSchemas(): Schemas {
  return (schemas ??= readOwnJson('source/digital-river/schemas.json') as Schemas)
}
