/** The names that a config file may have, in this order. */
export const configFileNames: readonly string[] = [
  'riverhook.config.ts',
  'riverhook.config.mts',
  'riverhook.config.js',
  'riverhook.config.mjs'
]
