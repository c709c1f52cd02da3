// Registers a handler in a function. A file may export such a function, a result of defineHandler, or an array of those.
export default (riverhook) => {
  riverhook.on('order.*', { name: 'audit' }, (event, { log }) => {
    log.info({ created: event.createdTime, live: event.liveMode }, 'seen')
  })
}
