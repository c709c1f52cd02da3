import { unsupportedRuntime } from './runtime.ts'

// Imported before all else: an old Node would fail later, at something that it lacks, with an error that does not name it.
const reason = unsupportedRuntime(process.versions)
if (reason !== undefined) throw new Error(reason)
