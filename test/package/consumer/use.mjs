// An ESM host that uses the result of import.
import Fastify from 'fastify'
import * as surface from 'riverhook'
import * as resources from 'riverhook/resources'
import * as sources from 'riverhook/sources'
import * as testing from 'riverhook/testing'

import { tryOut } from './try-out.cjs'

await tryOut(Fastify, surface, testing, resources, sources)
