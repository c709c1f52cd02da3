// Loaded into every process of the bench, including the peers': reports how much CPU time the process has used, in
// microseconds.
process.on('message', (message) => {
  if (message !== 'cpu') return
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMicros: user + system })
})
