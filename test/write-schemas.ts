// npm run schemas
import { writeFileSync } from 'node:fs'

import { adminSchemasFile, adminSchemasText } from './admin/schemas-file.ts'
import { schemasFile, schemasText } from './source/digital-river/schemas-file.ts'

writeFileSync(schemasFile, schemasText())
writeFileSync(adminSchemasFile, adminSchemasText())
