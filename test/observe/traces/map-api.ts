import { registerHooks } from 'node:module'

// Loaded before a process: gives Riverhook and the app different copies of the API of OpenTelemetry, and prints which
// modules of OpenTelemetry are loaded. OURS and APP are names of packages.

const { OURS = '', APP = '' } = process.env
// The folder of the modules that are loaded: src, or .oldest on the oldest Node.
const own = new URL('./', import.meta.resolve('../../../src/index.ts')).href
const loaded = new Set<string>()

registerHooks({
  resolve: (specifier, context, next) => {
    const isApi = specifier === '@opentelemetry/api'
    const isOwn = context.parentURL?.startsWith(own) === true
    if (isApi && OURS !== '') return next(isOwn ? OURS : APP, context)
    if (specifier.includes('opentelemetry')) loaded.add(specifier)
    return next(specifier, context)
  }
})

process.on('exit', () => {
  console.log(JSON.stringify({ loaded: [...loaded] }))
})
