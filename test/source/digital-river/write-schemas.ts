// npm run schemas
import { writeFileSync } from 'node:fs'

import { schemasFile, schemasText } from './schemas-file.ts'

writeFileSync(schemasFile, schemasText())
