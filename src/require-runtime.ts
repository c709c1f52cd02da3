import { unsupportedRuntime } from './runtime.ts'

// Import this first: an old Node would otherwise fail later, with an error that does not name the version.
const reason = unsupportedRuntime(process.versions)
if (reason !== undefined) throw new Error(reason)
