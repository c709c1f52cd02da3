// npm run openapi
import { writeFileSync } from 'node:fs'

import { openapiFile, openapiText } from './admin/openapi-file.ts'

writeFileSync(openapiFile, await openapiText())
