// With the registrar instead of defineHandler: a file may export an array, one definition, or a function like this.
export default (riverhook) => {
  riverhook.on('order.*', { name: 'audit' }, (event, { log }) => {
    log.info({ created: event.createdTime, live: event.liveMode }, 'seen')
  })
}
