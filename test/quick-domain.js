// In place of the package async-hook-domain in `npm test` (test/quick-resolve.js). tap finds through it the test that an
// uncaught error belongs to. The package follows each promise of a process to its end, which takes up to a fifth of the
// processor where tests await much. This module has its one class, on what Node keeps with each promise anyway.
import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks'
import process from 'node:process'

const current = new AsyncLocalStorage()
let isListening = false

export class Domain {
  destroyed = false

  constructor(onerror) {
    this.onerror = onerror
    this.parent = current.getStore()
    const scope = executionAsyncResource()
    // tap creates the domain of a test, and later runs the test, in the scope of one resource.
    if (scope instanceof AsyncResource) {
      const run = scope.runInAsyncScope.bind(scope)
      scope.runInAsyncScope = (work, self, ...args) =>
        run(() => current.run(this, () => Reflect.apply(work, self, args)))
    }
    if (!isListening) listen(this)
  }

  destroy() {
    this.destroyed = true
  }
}

/** @param first takes what is thrown outside of all domains */
function listen(first) {
  isListening = true
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    if (!handle(first, error, origin)) return
    // Node asks it once, for this error.
    process.setUncaughtExceptionCaptureCallback(() => {
      process.setUncaughtExceptionCaptureCallback(null)
    })
  })
  const { emit } = process
  process.emit = (name, ...args) =>
    name === 'unhandledRejection' && process.listenerCount(name) === 0
      ? handle(first, args[0], name)
      : Reflect.apply(emit, process, [name, ...args])
}

/** Passes an error to the domain in which it was thrown. Returns false if none takes it: Node ends the process then. */
function handle(first, error, origin) {
  if (process.hasUncaughtExceptionCaptureCallback() || process.listenerCount('uncaughtException') > 0) return false
  let domain = current.getStore() ?? first
  while (domain?.destroyed) domain = domain.parent
  domain?.onerror(error, origin)
  return domain !== undefined
}
