// Run by `prepack`, and before the tests of the package. After `npm run build`.
import { join } from 'node:path'

import { writePlainTypes } from './plain-types.ts'
import { pruneTypes } from './prune-types.ts'

const root = join(import.meta.dirname, '../..')
writePlainTypes(root)
pruneTypes(root)
