// An ESM host: what an import gives, in real use.
import Fastify from 'fastify'
import * as surface from 'riverhook'

import { tryOut } from './try-out.cjs'

await tryOut(Fastify, surface)
